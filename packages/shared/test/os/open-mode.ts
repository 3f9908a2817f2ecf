import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as openMode from '../../src/os/open-mode.ts'
import { leakChecked } from '../../test-support/index.ts'

leakChecked(t)

t.test('parseMode knows the texts', async (t) => {
  const modes = {
    r: openMode.MODE_READ_ONLY,
    rt: openMode.MODE_READ_ONLY | openMode.MODE_TRUNCATE,
    w: openMode.MODE_WRITE_ONLY | openMode.MODE_CREATE,
    wt: openMode.MODE_WRITE_ONLY | openMode.MODE_CREATE | openMode.MODE_TRUNCATE,
    wa: openMode.MODE_WRITE_ONLY | openMode.MODE_CREATE | openMode.MODE_APPEND,
    rw: openMode.MODE_READ_WRITE | openMode.MODE_CREATE,
    rwt: openMode.MODE_READ_WRITE | openMode.MODE_CREATE | openMode.MODE_TRUNCATE,
    rwa: openMode.MODE_READ_WRITE | openMode.MODE_CREATE | openMode.MODE_APPEND,
  }
  for (const [text, mode] of Object.entries(modes)) t.equal(openMode.parseMode(text), mode, text)
})

t.test('parseMode refuses other texts', async (t) => {
  for (const text of ['', 'x', 'rx', 'a', 't', 'R', 'rw+', ' r', 'r\n', 'w\n']) {
    t.throws(() => openMode.parseMode(text), { code: 'ERR_INVALID_ARG_VALUE', message: `Bad mode: ${text}` })
  }
  t.throws(() => Reflect.apply(openMode.parseMode, null, [null]), { code: 'ERR_NULL_POINTER' })
  t.throws(() => Reflect.apply(openMode.parseMode, null, [7]), { code: 'ERR_INVALID_ARG_TYPE' })
})

/** The O_* flags of an open descriptor, as the kernel has them (proc_pid_fdinfo(5)). */
function statusFlags(fd: number): number {
  const [, flags] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? []
  return Number.parseInt(flags ?? '', 8)
}

const O_ACCMODE = 0o3
const O_APPEND = 0o2000
const O_CLOEXEC = 0o2000000

t.test('the access mode is the one asked for, and close-on-exec is set', async (t) => {
  for (const [mode, access] of [
    [openMode.MODE_READ_ONLY, 0],
    [openMode.MODE_WRITE_ONLY, 1],
    [openMode.MODE_READ_WRITE, 2],
  ] as const) {
    using fd = openMode.openFile('/dev/null', mode)
    t.equal(statusFlags(fd.fd) & O_ACCMODE, access)
    t.equal(statusFlags(fd.fd) & O_CLOEXEC, O_CLOEXEC)
    t.equal(statusFlags(fd.fd) & O_APPEND, 0)
  }
  using fd = openMode.openFile('/dev/null', openMode.MODE_WRITE_ONLY | openMode.MODE_APPEND)
  t.equal(statusFlags(fd.fd) & O_APPEND, O_APPEND)
})

t.test('MODE_TRUNCATE empties a file, without it nothing does', async (t) => {
  const path = join(t.testdir({ file: 'content' }), 'file')
  openMode.openFile(path, openMode.parseMode('w')).close()
  t.equal(statSync(path).size, 7)
  openMode.openFile(path, openMode.parseMode('wt')).close()
  t.equal(statSync(path).size, 0)
})

t.test('a new file gets 0770 and the world bits, less the umask', async (t) => {
  const umask = process.umask()
  t.teardown(() => process.umask(umask))
  const folder = t.testdir()
  const worlds = [
    0,
    openMode.MODE_WORLD_READABLE,
    openMode.MODE_WORLD_WRITEABLE,
    openMode.MODE_WORLD_READABLE | openMode.MODE_WORLD_WRITEABLE,
  ]
  const worldBits = [0, 0o4, 0o2, 0o6]
  for (const mask of [0, 0o022, 0o077]) {
    process.umask(mask)
    for (const [index, world] of worlds.entries()) {
      const path = join(folder, `${mask}-${index}`)
      openMode.openFile(path, openMode.MODE_READ_WRITE | openMode.MODE_CREATE | world).close()
      t.equal(statSync(path).mode & 0o777, (0o770 | (worldBits[index] ?? 0)) & ~mask, `umask ${mask}, world ${world}`)
    }
  }
})

t.test('an existing file keeps its permissions', async (t) => {
  const path = join(t.testdir(), 'file')
  writeFileSync(path, '', { mode: 0o600 })
  openMode.openFile(path, openMode.MODE_READ_WRITE | openMode.MODE_CREATE | openMode.MODE_WORLD_READABLE).close()
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('a file that cannot be opened is an error with its errno', async (t) => {
  const folder = t.testdir()
  t.throws(() => openMode.openFile(join(folder, 'nothing'), openMode.MODE_READ_ONLY), {
    code: 'ENOENT',
    syscall: 'open',
  })
  t.throws(() => openMode.openFile(folder, openMode.MODE_READ_WRITE), { code: 'EISDIR' })
})

t.test('wrong arguments are refused', async (t) => {
  t.throws(() => openMode.openFile('/dev/null', 0), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /Must specify MODE_READ_ONLY/,
  })
  t.throws(() => openMode.openFile('/dev/null', openMode.MODE_CREATE), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => openMode.openFile('/dev/null', 1.5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => openMode.openFile('/dev/null', Number.NaN), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => openMode.openFile('/dev/\0', openMode.MODE_READ_ONLY), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => Reflect.apply(openMode.openFile, null, [null, openMode.MODE_READ_ONLY]), { code: 'ERR_NULL_POINTER' })
  t.throws(() => Reflect.apply(openMode.openFile, null, ['/dev/null', 'r']), { code: 'ERR_INVALID_ARG_TYPE' })
})
