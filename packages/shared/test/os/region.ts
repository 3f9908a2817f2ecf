/** Regions: how they are made, how they are told from everything else, and how readers get theirs. */

import * as native from 'memfd-native'
import t from 'tap'
import { MemoryFile, ParcelFileDescriptor } from '../../src/index.ts'
import * as region from '../../src/os/region.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)

const { F_SEAL_EXEC, MFD_ALLOW_SEALING } = native.constants
const FORGER = support.nodeUrl.fileURLToPath(new URL('../../../test-support/fixtures/forged-memfd.py', import.meta.url))
const O_RDONLY = 0
const { checkMappable, closeToWriters, createRegion, lookAtRegion, openForReaders, regionSize } = region
const PERMISSIONS = 0o777

t.test('a region cannot be made executable', async (t) => {
  using region = createRegion('plain', 1)
  t.not(native.getSeals(region) & F_SEAL_EXEC, 0)
  t.equal(native.fstat(region).mode & 0o111, 0)
})

/** Descriptors to be told apart. Each is closed by its test. */
const SUBJECTS: [title: string, size: number, open: () => native.OwnedFd][] = [
  ['a region', 10, () => createRegion('region', 10)],
  ['a region, opened once more for reading', 10, () => reopenedAndClosed(createRegion('region', 10))],
  ['a memfd without seals', 0, () => native.memfdCreate('plain')],
  ['a device', -1, () => openOwned('/dev/null')],
  ['a folder', -1, () => openOwned('/')],
  ['a file on a disk', -1, () => openOwned(support.nodeUrl.fileURLToPath(import.meta.url))],
  ['a file of /proc', -1, () => openOwned('/proc/self/maps')],
  ['a file on a tmpfs', -1, () => openFile('/dev/shm', 'file', true)],
  ['an unlinked file on a tmpfs', -1, () => openFile('/dev/shm', 'file', false)],
  ['an unlinked file on a disk', -1, () => openFile(support.nodeOs.tmpdir(), 'file', false)],
  ['an unlinked file called as a memfd', -1, () => openFile('/dev/shm', 'memfd:name', false)],
  ['a file whose name ends in (deleted)', -1, () => openFile('/dev/shm', 'memfd:name (deleted)', true)],
  ['a pipe', -1, () => firstOf(native.pipe())],
  ['a socket', -1, () => firstOf(native.socketpair(native.constants.SOCK_STREAM))],
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
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-forged-'))
  const forger = support.nodeChildProcess.spawn('python3', [FORGER, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(async () => {
    await ended(forger)
    support.nodeFs.rmSync(folder, { recursive: true })
  })
  const [answer] = await firstLine(forger)
  if (answer === 'denied') return t.pass('this machine lets nobody mount, so nobody can forge')
  using fd = openOwned(`/proc/${forger.pid}/fd/${answer}`)
  t.equal(support.nodeFs.readlinkSync(`/proc/self/fd/${fd.fd}`), '/memfd:forged (deleted)')
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
  t.match(native.fstat(one), { ino: native.fstat(region).ino, dev: native.fstat(region).dev })
  native.lseek(one, 7, native.constants.SEEK_SET)
  t.same(
    [native.lseek(other, 0, native.constants.SEEK_CUR), native.lseek(region, 0, native.constants.SEEK_CUR)],
    [0, 0],
  )
  t.throws(() => native.Mapping.map(one, 10, native.mmap.PROT_READ | native.mmap.PROT_WRITE, native.mmap.MAP_SHARED), {
    code: 'EACCES',
  })
  native.Mapping.map(one, 10, native.mmap.PROT_READ, native.mmap.MAP_SHARED).unmap()
  t.equal(native.fstat(region).mode & PERMISSIONS, 0o400)
})

t.test('a region is mapped when it can neither shrink nor is too short', async (t) => {
  using region = createRegion('region', 10)
  using shrinkable = native.memfdCreate('shrinkable', MFD_ALLOW_SEALING)
  native.ftruncate(shrinkable, 10)
  t.doesNotThrow(() => checkMappable(lookAtRegion(region), 10))
  t.throws(() => checkMappable(lookAtRegion(region), 11), { code: 'ERR_UNSAFE_REGION' })
  t.throws(() => checkMappable(lookAtRegion(shrinkable), 10), { code: 'ERR_UNSAFE_REGION' })
})

t.test('a failure leaves no descriptor behind', async (t) => {
  t.throws(() => createRegion('negative', -1), { code: 'EINVAL', syscall: 'ftruncate' })
})

function openOwned(path: string): native.OwnedFd {
  return native.OwnedFd.adopt(support.nodeFs.openSync(path, 'r'))
}

function reopenedAndClosed(region: native.OwnedFd): native.OwnedFd {
  using original = region
  return native.reopen(original, O_RDONLY)
}

/** A new file; it is gone from its folder right away, or when it keeps its name, at the end of the test file. */
function openFile(parent: string, name: string, keepsName: boolean): native.OwnedFd {
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(parent, 'memsvc-'))
  t.teardown(() => support.nodeFs.rmSync(folder, { recursive: true, force: true }))
  const path = support.nodePath.join(folder, name)
  support.nodeFs.writeFileSync(path, 'contents')
  const fd = openOwned(path)
  if (!keepsName) support.nodeFs.unlinkSync(path)
  return fd
}

function firstOf([first, second]: [native.OwnedFd, native.OwnedFd]): native.OwnedFd {
  second.close()
  return first
}

async function firstLine(child: support.nodeChildProcess.ChildProcess): Promise<string[]> {
  if (child.stdout === null) throw new Error('the child has no output')
  for await (const line of support.nodeReadline.createInterface(child.stdout)) return [line]
  throw new Error('the child has said nothing')
}

async function ended(child: support.nodeChildProcess.ChildProcess): Promise<void> {
  child.stdin?.end()
  if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve))
}
