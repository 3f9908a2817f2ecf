import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  MODE_APPEND,
  MODE_CREATE,
  MODE_READ_ONLY,
  MODE_READ_WRITE,
  MODE_TRUNCATE,
  MODE_WORLD_READABLE,
  MODE_WORLD_WRITEABLE,
  MODE_WRITE_ONLY,
  openFile,
  parseMode,
} from '../../src/os/open-mode.ts'
import { leakChecked } from '../../test-support/leaks.ts'

leakChecked(t)

t.test('parseMode knows the texts', async (t) => {
  const modes = {
    r: MODE_READ_ONLY,
    rt: MODE_READ_ONLY | MODE_TRUNCATE,
    w: MODE_WRITE_ONLY | MODE_CREATE,
    wt: MODE_WRITE_ONLY | MODE_CREATE | MODE_TRUNCATE,
    wa: MODE_WRITE_ONLY | MODE_CREATE | MODE_APPEND,
    rw: MODE_READ_WRITE | MODE_CREATE,
    rwt: MODE_READ_WRITE | MODE_CREATE | MODE_TRUNCATE,
    rwa: MODE_READ_WRITE | MODE_CREATE | MODE_APPEND,
  }
  for (const [text, mode] of Object.entries(modes)) t.equal(parseMode(text), mode, text)
})

t.test('parseMode refuses other texts', async (t) => {
  for (const text of ['', 'x', 'rx', 'a', 't', 'R', 'rw+', ' r', 'r\n', 'w\n']) {
    t.throws(() => parseMode(text), { code: 'ERR_INVALID_ARG_VALUE', message: `Bad mode: ${text}` })
  }
  t.throws(() => Reflect.apply(parseMode, null, [null]), { code: 'ERR_NULL_POINTER' })
  t.throws(() => Reflect.apply(parseMode, null, [7]), { code: 'ERR_INVALID_ARG_TYPE' })
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
    [MODE_READ_ONLY, 0],
    [MODE_WRITE_ONLY, 1],
    [MODE_READ_WRITE, 2],
  ] as const) {
    using fd = openFile('/dev/null', mode)
    t.equal(statusFlags(fd.fd) & O_ACCMODE, access)
    t.equal(statusFlags(fd.fd) & O_CLOEXEC, O_CLOEXEC)
    t.equal(statusFlags(fd.fd) & O_APPEND, 0)
  }
  using fd = openFile('/dev/null', MODE_WRITE_ONLY | MODE_APPEND)
  t.equal(statusFlags(fd.fd) & O_APPEND, O_APPEND)
})

t.test('MODE_TRUNCATE empties a file, without it nothing does', async (t) => {
  const path = join(t.testdir({ file: 'content' }), 'file')
  openFile(path, parseMode('w')).close()
  t.equal(statSync(path).size, 7)
  openFile(path, parseMode('wt')).close()
  t.equal(statSync(path).size, 0)
})

t.test('a new file gets 0770 and the world bits, less the umask', async (t) => {
  const umask = process.umask()
  t.teardown(() => process.umask(umask))
  const folder = t.testdir()
  const worlds = [0, MODE_WORLD_READABLE, MODE_WORLD_WRITEABLE, MODE_WORLD_READABLE | MODE_WORLD_WRITEABLE]
  const worldBits = [0, 0o4, 0o2, 0o6]
  for (const mask of [0, 0o022, 0o077]) {
    process.umask(mask)
    for (const [index, world] of worlds.entries()) {
      const path = join(folder, `${mask}-${index}`)
      openFile(path, MODE_READ_WRITE | MODE_CREATE | world).close()
      t.equal(statSync(path).mode & 0o777, (0o770 | (worldBits[index] ?? 0)) & ~mask, `umask ${mask}, world ${world}`)
    }
  }
})

t.test('an existing file keeps its permissions', async (t) => {
  const path = join(t.testdir(), 'file')
  writeFileSync(path, '', { mode: 0o600 })
  openFile(path, MODE_READ_WRITE | MODE_CREATE | MODE_WORLD_READABLE).close()
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('what cannot be opened says why by its errno', async (t) => {
  const folder = t.testdir()
  t.throws(() => openFile(join(folder, 'nothing'), MODE_READ_ONLY), { code: 'ENOENT', syscall: 'open' })
  t.throws(() => openFile(folder, MODE_READ_WRITE), { code: 'EISDIR' })
})

t.test('wrong arguments are refused', async (t) => {
  t.throws(() => openFile('/dev/null', 0), { code: 'ERR_INVALID_ARG_VALUE', message: /Must specify MODE_READ_ONLY/ })
  t.throws(() => openFile('/dev/null', MODE_CREATE), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => openFile('/dev/null', 1.5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => openFile('/dev/null', Number.NaN), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => openFile('/dev/\0', MODE_READ_ONLY), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => Reflect.apply(openFile, null, [null, MODE_READ_ONLY]), { code: 'ERR_NULL_POINTER' })
  t.throws(() => Reflect.apply(openFile, null, ['/dev/null', 'r']), { code: 'ERR_INVALID_ARG_TYPE' })
})
