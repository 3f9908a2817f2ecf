import * as fs from 'node:fs'
import t from 'tap'
import * as api from '../src/index.ts'
import { codeOf, leakChecked, PAGE, sizedMemfd } from '../test-support/index.ts'

leakChecked(t)

/** The flags of the open file, and O_CLOEXEC of the descriptor. */
function openFlags(fd: number): number {
  const flags = /^flags:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  return Number.parseInt(flags ?? '', 8)
}
const O_CLOEXEC = 0o2000000

const sameFile = (a: api.Fd, b: api.Fd) =>
  api.fstat(a).dev === api.fstat(b).dev && api.fstat(a).ino === api.fstat(b).ino

t.test('dup is the same file with the same offset, from 3 up and CLOEXEC', async (t) => {
  using memfd = sizedMemfd()
  using copy = api.dup(memfd)
  t.ok(sameFile(memfd, copy))
  t.ok(copy.fd >= 3)
  t.ok(openFlags(copy.fd) & O_CLOEXEC)
  api.lseek(memfd, 100, api.constants.SEEK_SET)
  t.equal(api.lseek(copy, 0, api.constants.SEEK_CUR), 100)
})

t.test('dup takes a number that is high enough, or says that there is none', async (t) => {
  using memfd = sizedMemfd()
  using high = api.dup(memfd, 900)
  using higher = api.dup(memfd, 900)
  t.ok(sameFile(memfd, high))
  t.ok(high.fd >= 900 && higher.fd > high.fd)
  const beyond = api.getrlimit(api.constants.RLIMIT_NOFILE).soft
  t.equal(
    codeOf(() => api.dup(memfd, beyond)),
    'EINVAL',
  )
})

t.test('reopen is the same file with an offset and access of its own, CLOEXEC', async (t) => {
  using memfd = sizedMemfd()
  api.lseek(memfd, 100, api.constants.SEEK_SET)
  using readOnly = api.reopen(memfd, api.constants.O_RDONLY)
  t.ok(sameFile(memfd, readOnly))
  t.equal(api.lseek(readOnly, 0, api.constants.SEEK_CUR), 0)
  t.ok(openFlags(readOnly.fd) & O_CLOEXEC)
  t.equal(
    codeOf(() => fs.writeSync(readOnly.fd, 'x')),
    'EBADF',
  )
})

t.test('offsets and sizes past 2 and 4 GiB are exact', async (t) => {
  for (const size of [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 40]) {
    using memfd = sizedMemfd(size)
    t.equal(api.fstat(memfd).size, size)
    t.equal(api.lseek(memfd, 0, api.constants.SEEK_END), size)
    t.equal(api.lseek(memfd, size - 1, api.constants.SEEK_SET), size - 1)
  }
})

t.test('fstat tells what the file is', async (t) => {
  using memfd = sizedMemfd(3 * PAGE)
  fs.writeSync(memfd.fd, 'x')
  const status = api.fstat(memfd)
  t.match(status, { size: 3 * PAGE, nlink: 0, uid: process.getuid?.(), blocks: PAGE / 512 })
  t.equal(status.mode & 0o170777, 0o100777)
})

t.test('stat and lstat tell what is at a path, and what a link leads to', async (t) => {
  const folder = t.testdir({ file: 'four' })
  const [path, link] = [`${folder}/file`, `${folder}/link`]
  fs.symlinkSync(path, link)
  for (const follow of [true, false]) {
    for (const at of [path, link, folder]) {
      const { dev, ino, mode, nlink, uid, size, blocks } = follow ? fs.statSync(at) : fs.lstatSync(at)
      t.strictSame(follow ? api.stat(at) : api.lstat(at), { dev, ino, mode, nlink, uid, size, blocks }, at)
    }
    const ask = follow ? api.stat : api.lstat
    const syscall = follow ? 'stat' : 'lstat'
    t.throws(() => ask(`${folder}/none`), { code: 'ENOENT', syscall })
    t.throws(() => ask(`${path}/x`), { code: 'ENOTDIR', syscall })
    t.throws(() => ask(`${path}\0x`), { code: 'ENOENT', syscall }, 'no path has a NUL')
    t.throws(() => ask(''), { code: 'ENOENT', syscall })
    for (const none of [undefined, null, 5, {}]) t.throws(() => ask(none as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

t.test('fileIdentity is the same text as long as a path leads to the same unchanged file', async (t) => {
  const folder = t.testdir({ file: 'x' })
  const [path, link, other] = [`${folder}/file`, `${folder}/link`, `${folder}/other`]
  const before = api.fileIdentity(path)
  t.type(before, 'string')
  fs.symlinkSync(path, link)
  t.equal(api.fileIdentity(path), before)
  t.equal(api.fileIdentity(link), before)
  fs.chmodSync(path, 0o600) // its ctime
  const changed = api.fileIdentity(path)
  t.not(changed, before)
  fs.writeFileSync(other, 'x')
  fs.renameSync(other, path)
  t.not(api.fileIdentity(path), changed)
  for (const none of [`${path}/x`, `${folder}/none`, `${path}\0x`, '']) t.equal(api.fileIdentity(none), null, none)
})

t.test('a pipe carries bytes from its second end to its first, both CLOEXEC', async (t) => {
  const [reader, writer] = api.pipe()
  t.ok(openFlags(reader.fd) & openFlags(writer.fd) & O_CLOEXEC)
  fs.writeSync(writer.fd, 'hello')
  const bytes = Buffer.alloc(10)
  t.equal(fs.readSync(reader.fd, bytes), 5)
  t.equal(bytes.toString('latin1', 0, 5), 'hello')
  reader.close()
  writer.close()
})

t.test('a pipe made with O_NONBLOCK does not wait', async (t) => {
  const [reader, writer] = api.pipe(api.constants.O_NONBLOCK)
  t.equal(
    codeOf(() => fs.readSync(reader.fd, Buffer.alloc(1))),
    'EAGAIN',
  )
  reader.close()
  writer.close()
})

t.test('setNonBlocking turns O_NONBLOCK on and off again', async (t) => {
  const [reader, writer] = api.pipe()
  api.setNonBlocking(reader, true)
  t.equal(openFlags(reader.fd) & api.constants.O_NONBLOCK, api.constants.O_NONBLOCK)
  api.setNonBlocking(reader, false)
  t.equal(openFlags(reader.fd) & api.constants.O_NONBLOCK, 0)
  reader.close()
  writer.close()
})

t.test('lockFile gives one open file the lock, until its last descriptor is closed', async (t) => {
  using file = sizedMemfd()
  const holder = api.reopen(file, api.constants.O_RDWR)
  using other = api.reopen(file, api.constants.O_RDWR)
  const copy = api.dup(holder)
  t.ok(api.lockFile(holder))
  t.ok(api.lockFile(holder), 'it holds it already')
  t.notOk(api.lockFile(other))
  holder.close()
  t.notOk(api.lockFile(other), 'the dup still holds it')
  copy.close()
  t.ok(api.lockFile(other))
})

const CALLS: Record<string, (fd: api.Fd) => unknown> = {
  dup: (fd) => api.dup(fd),
  fstat: (fd) => api.fstat(fd),
  lockFile: (fd) => api.lockFile(fd),
  lseek: (fd) => api.lseek(fd, 0, api.constants.SEEK_SET),
  reopen: (fd) => api.reopen(fd, api.constants.O_RDONLY),
  setNonBlocking: (fd) => api.setNonBlocking(fd, true),
}
for (const [name, call] of Object.entries(CALLS)) {
  t.test(`${name} of a closed descriptor is EBADF, of something else a TypeError`, async (t) => {
    const closed = sizedMemfd()
    closed.close()
    t.throws(() => call(closed), { name: 'SyscallError', code: 'EBADF', errno: -9 })
    t.equal(
      codeOf(() => call('3' as unknown as number)),
      'ERR_INVALID_ARG_TYPE',
    )
  })
}
