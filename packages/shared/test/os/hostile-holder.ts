/**
 * Another process holds a descriptor of a region that is sealed for readers, and tries everything to change it: as root
 * (or the owner, where the tests are not run by root) and as a stranger, with what `shareReadOnly` answers and with the
 * read-write dup that `getParcelFileDescriptor` answers. The table is the kernel's, measured on Linux 6.18.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants, fstat, getSeals, lseek } from 'memfd-native'
import t from 'tap'
import { borrowFd } from '../../src/os/file-descriptor.ts'
import { MemoryFile } from '../../src/os/memory-file.ts'
import type { ParcelFileDescriptor } from '../../src/os/parcel-file-descriptor.ts'
import { leakChecked } from '../../test-support/leaks.ts'

leakChecked(t)

const NOBODY = 65534
/** As text: a stranger may not be able to read this directory. */
const PROGRAM = readFileSync(new URL('../../../test/fixtures/hostile-holder.py', import.meta.url), 'utf8')
const CONTENTS = 'kept'

/** What the holder's attempts end in, by the descriptor it has: [from shareReadOnly, a dup]. */
const ATTEMPTS: Record<string, [string, string]> = {
  write: ['EBADF', 'EPERM'],
  pwrite: ['EBADF', 'EPERM'],
  'ftruncate to nothing': ['EINVAL', 'EPERM'],
  'ftruncate to more': ['EINVAL', 'EPERM'],
  'fallocate more': ['EBADF', 'EPERM'],
  'punch a hole': ['EBADF', 'EPERM'],
  sendfile: ['EBADF', 'EPERM'],
  splice: ['EBADF', 'EPERM'],
  copy_file_range: ['EBADF', 'EPERM'],
  'map for writing': ['EACCES', 'EPERM'],
  'map for nothing but writing': ['EACCES', 'EPERM'],
  'mprotect to writable': ['EACCES', 'EACCES'],
  'madvise REMOVE': ['EACCES', 'EACCES'],
  'madvise POPULATE_WRITE': ['EINVAL', 'EINVAL'],
  'read into the mapping': ['EFAULT', 'EFAULT'],
  'write to /proc/self/mem': ['EIO', 'EIO'],
  process_vm_writev: ['EFAULT', 'EFAULT'],
  'change a private copy': ['ok', 'ok'],
  'add a seal': ['EPERM', 'EPERM'],
  'lift the seals': ['EPERM', 'EPERM'],
  seek: ['ok', 'ok'],
  read: [CONTENTS, CONTENTS],
}

/** What depends on who the holder is; the mode of the region is 0400. */
const BY_ROOT = {
  'open for writing': 'ok',
  fchmod: 'ok',
  'fchmod, open and write': 'EPERM',
  'fchmod, open and map': 'EPERM',
  'fchmod, open and punch a hole': 'EPERM',
  'fchmod, open and cut': 'EPERM',
  'fchmod, open with O_TRUNC': 'EPERM',
}
const BY_OWNER = { ...BY_ROOT, 'open for writing': 'EACCES' }
const BY_STRANGER = Object.fromEntries(
  Object.keys(BY_ROOT).map((name) => [name, name === 'fchmod' ? 'EPERM' : 'EACCES']),
)

const HOLDERS: [title: string, uid: number | undefined, ownRights: Record<string, string>][] =
  process.getuid?.() === 0
    ? [
        ['root', 0, BY_ROOT],
        ['a stranger', NOBODY, BY_STRANGER],
      ]
    : [['the owner', undefined, BY_OWNER]]

const DESCRIPTORS: [title: string, column: 0 | 1, get: (file: MemoryFile) => ParcelFileDescriptor][] = [
  ['the answer of shareReadOnly', 0, (file) => file.shareReadOnly()],
  ['a dup', 1, (file) => file.getParcelFileDescriptor()],
]

/** Runs the program with the descriptor as its number 3, and answers its report. */
function attack(descriptor: ParcelFileDescriptor, uid: number | undefined): Record<string, string> {
  const { stdout, stderr, status } = spawnSync('/usr/bin/env', ['python3', '-c', PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe', descriptor.getFd()],
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    encoding: 'utf8',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  if (status !== 0) throw new Error(`the holder failed: ${stderr}`)
  return JSON.parse(stdout) as Record<string, string>
}

for (const [who, uid, ownRights] of HOLDERS) {
  for (const [what, column, get] of DESCRIPTORS) {
    t.test(`${who} with ${what} changes nothing`, async (t) => {
      using file = new MemoryFile('attacked', CONTENTS.length)
      file.getOutputStream().write(Buffer.from(CONTENTS))
      file.shareReadOnly().close()
      const region = borrowFd(file.getFileDescriptor())
      const seals = getSeals(region)
      using descriptor = get(file)

      const expected = Object.fromEntries(Object.entries(ATTEMPTS).map(([name, codes]) => [name, codes[column]]))
      t.same(attack(descriptor, uid), { ...expected, ...ownRights })

      const contents = Buffer.alloc(CONTENTS.length)
      file.readBytes(contents, 0, 0, contents.length)
      t.equal(contents.toString(), CONTENTS)
      t.equal(fstat(region).size, CONTENTS.length)
      t.equal(getSeals(region), seals)
      file.writeInt32BE(0, 7)
      t.equal(file.readInt32BE(0), 7, 'and the owner still writes')
      if (column === 0) t.equal(lseek(region, 0, constants.SEEK_CUR), 0, 'the offset is the holder’s own')
    })
  }
}
