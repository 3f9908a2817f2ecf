/** Regions: how they are made, how they are told from everything else, and how readers get theirs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readlinkSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  constants,
  fstat,
  ftruncate,
  getSeals,
  lseek,
  Mapping,
  memfdCreate,
  mmap,
  OwnedFd,
  pipe,
  reopen,
  socketpair,
} from 'memfd-native'
import t from 'tap'
import { MemoryFile } from '../../src/os/memory-file.ts'
import { ParcelFileDescriptor } from '../../src/os/parcel-file-descriptor.ts'
import { checkMappable, closeToWriters, createRegion, openForReaders, regionSize } from '../../src/os/region.ts'
import { leakChecked } from '../../test-support/leaks.ts'

leakChecked(t)

const { F_SEAL_EXEC, MFD_ALLOW_SEALING } = constants
const FORGER = fileURLToPath(new URL('../../../test/fixtures/forged-memfd.py', import.meta.url))
const O_RDONLY = 0
const PERMISSIONS = 0o777

t.test('a region cannot be made executable', async (t) => {
  using region = createRegion('plain', 1)
  t.not(getSeals(region) & F_SEAL_EXEC, 0)
  t.equal(fstat(region).mode & 0o111, 0)
})

/** Descriptors to be told apart. Each is closed by its test. */
const SUBJECTS: [title: string, size: number, open: () => OwnedFd][] = [
  ['a region', 10, () => createRegion('region', 10)],
  ['a region, opened once more for reading', 10, () => reopenedAndClosed(createRegion('region', 10))],
  ['a memfd without seals', 0, () => memfdCreate('plain')],
  ['a device', -1, () => openOwned('/dev/null')],
  ['a folder', -1, () => openOwned('/')],
  ['a file on a disk', -1, () => openOwned(fileURLToPath(import.meta.url))],
  ['a file of /proc', -1, () => openOwned('/proc/self/maps')],
  ['a file on a tmpfs', -1, () => openFile('/dev/shm', 'file', true)],
  ['an unlinked file on a tmpfs', -1, () => openFile('/dev/shm', 'file', false)],
  ['an unlinked file on a disk', -1, () => openFile(tmpdir(), 'file', false)],
  ['an unlinked file called as a memfd', -1, () => openFile('/dev/shm', 'memfd:name', false)],
  ['a file whose name ends in (deleted)', -1, () => openFile('/dev/shm', 'memfd:name (deleted)', true)],
  ['a pipe', -1, () => firstOf(pipe())],
  ['a socket', -1, () => firstOf(socketpair(constants.SOCK_STREAM))],
]

t.test('regions are told from everything else', async (t) => {
  for (const [title, size, open] of SUBJECTS) {
    using fd = open()
    using pfd = ParcelFileDescriptor.fromFd(fd.fd)
    t.equal(regionSize(fd), size, title)
    t.equal(MemoryFile.getSize(pfd.getFileDescriptor()), size, `getSize of ${title}`)
    t.equal(MemoryFile.isMemoryFile(pfd.getFileDescriptor()), size >= 0, `isMemoryFile of ${title}`)
  }
})

t.test('a file that shows the link text of a memfd is no region', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-forged-'))
  const forger = spawn('python3', [FORGER, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(async () => {
    await ended(forger)
    rmSync(folder, { recursive: true })
  })
  const [answer] = await firstLine(forger)
  if (answer === 'denied') return t.pass('this machine lets nobody mount, so nobody can forge')
  using fd = openOwned(`/proc/${forger.pid}/fd/${answer}`)
  t.equal(readlinkSync(`/proc/self/fd/${fd.fd}`), '/memfd:forged (deleted)')
  t.equal(regionSize(fd), -1)
})

t.test('a closed descriptor is an error, not an answer', async (t) => {
  t.throws(() => regionSize(-1), { code: 'EBADF' })
})

t.test('each reader has a description of its own: read-only, its own offset', async (t) => {
  using region = createRegion('region', 10)
  closeToWriters(region)
  using one = openForReaders(region)
  using other = openForReaders(region)
  t.match(fstat(one), { ino: fstat(region).ino, dev: fstat(region).dev })
  lseek(one, 7, constants.SEEK_SET)
  t.same([lseek(other, 0, constants.SEEK_CUR), lseek(region, 0, constants.SEEK_CUR)], [0, 0])
  t.throws(() => Mapping.map(one, 10, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED), { code: 'EACCES' })
  Mapping.map(one, 10, mmap.PROT_READ, mmap.MAP_SHARED).unmap()
  t.equal(fstat(region).mode & PERMISSIONS, 0o400)
})

t.test('a region is mapped when it can neither shrink nor is too short', async (t) => {
  using region = createRegion('region', 10)
  using shrinkable = memfdCreate('shrinkable', MFD_ALLOW_SEALING)
  ftruncate(shrinkable, 10)
  t.doesNotThrow(() => checkMappable(region, 10))
  t.throws(() => checkMappable(region, 11), { code: 'ERR_UNSAFE_REGION' })
  t.throws(() => checkMappable(shrinkable, 10), { code: 'ERR_UNSAFE_REGION' })
})

t.test('a failure leaves no descriptor behind', async (t) => {
  t.throws(() => createRegion('negative', -1), { code: 'EINVAL', syscall: 'ftruncate' })
})

function openOwned(path: string): OwnedFd {
  return OwnedFd.adopt(openSync(path, 'r'))
}

function reopenedAndClosed(region: OwnedFd): OwnedFd {
  using original = region
  return reopen(original, O_RDONLY)
}

/** A new file; it is gone from its folder right away, or when it keeps its name, at the end of the test file. */
function openFile(parent: string, name: string, keepsName: boolean): OwnedFd {
  const folder = mkdtempSync(join(parent, 'memsvc-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, name)
  writeFileSync(path, 'contents')
  const fd = openOwned(path)
  if (!keepsName) unlinkSync(path)
  return fd
}

function firstOf([first, second]: [OwnedFd, OwnedFd]): OwnedFd {
  second.close()
  return first
}

async function firstLine(child: ChildProcess): Promise<string[]> {
  if (child.stdout === null) throw new Error('the child has no output')
  for await (const line of createInterface(child.stdout)) return [line]
  throw new Error('the child has said nothing')
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve))
}
