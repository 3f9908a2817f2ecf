/** The registry's socket in the file system: modes at every instant, and what may stand in its place. */

import { leakChecked, newRegistryPath, startProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const WATCH_MODES = support.nodeUrl.fileURLToPath(
  new URL('../../../test-support/fixtures/watch-modes.py', import.meta.url),
)
/** Bytes of a path that fit into sockaddr_un, unix(7). */
const LONGEST_PATH = 107

watchdog(t)
leakChecked(t)

/** Every mode that the paths were seen with by another process while `act` ran. */
async function modesDuring(paths: readonly string[], act: () => Promise<unknown>): Promise<Record<string, string[]>> {
  const watcher = support.nodeChildProcess.spawn('python3', [WATCH_MODES, ...paths])
  await support.nodeEvents.once(watcher.stderr, 'data')
  const report = support.nodeConsumers.text(watcher.stdout)
  await act()
  watcher.stdin.end()
  await support.nodeEvents.once(watcher, 'close')
  return JSON.parse(await report) as Record<string, string[]>
}

/** Runs `act` with this umask, which children get. */
function withUmask<T>(mask: number, act: () => T): T {
  const before = process.umask(mask)
  try {
    return act()
  } finally {
    process.umask(before)
  }
}

for (const umask of [0o000, 0o022, 0o077]) {
  t.test(
    `with umask 0${umask.toString(8)} directories are 0700 and the socket 0600 from their first instant`,
    async (t) => {
      const home = support.nodePath.dirname(newRegistryPath(t))
      const outer = support.nodePath.join(home, 'missing')
      const registry = support.nodePath.join(outer, 'parents', 'registry.sock')
      const paths = [outer, support.nodePath.dirname(registry), registry, `${registry}.lock`]
      const modes = await modesDuring(paths, async () => {
        for (let round = 0; round < 5; round++) {
          const { program } = await withUmask(umask, () => support.startMemsvc(t, { registry }))
          await support.openValue(t, registry)
          program.kill('SIGTERM')
          await program.ending
          if (round < 4) support.nodeFs.rmSync(outer, { recursive: true })
        }
      })
      t.strictSame(modes, {
        [outer]: ['0o700'],
        [support.nodePath.dirname(registry)]: ['0o700'],
        [registry]: ['0o600'],
        [`${registry}.lock`]: ['0o600'],
      })
    },
  )
}

t.test('--socket-mode is the mode of the socket, whatever the umask', async (t) => {
  for (const mode of ['660', '0666', '600']) {
    const { registry } = await withUmask(0o077, () => support.startMemsvc(t, { args: ['--socket-mode', mode] }))
    t.equal(support.nodeFs.lstatSync(registry).mode & 0o7777, Number.parseInt(mode, 8))
  }
})

t.test('a directory that exists is used as it is', async (t) => {
  for (const mode of [0o755, 0o711, 0o770, 0o1777, 0o1770]) {
    const registry = newRegistryPath(t, mode)
    await support.startMemsvc(t, { registry })
    t.equal(support.nodeFs.statSync(support.nodePath.dirname(registry)).mode & 0o7777, mode)
  }
})

t.test('a directory that everybody may write to, and that is not sticky, is refused', async (t) => {
  for (const mode of [0o777, 0o772, 0o722]) {
    const registry = newRegistryPath(t, mode)
    const { code, stderr } = await support.memsvc(registry, ['start'])
    t.equal(code, 4)
    t.match(stderr, `${support.nodePath.dirname(registry)} can be written to by everybody (mode 0${mode.toString(8)})`)
    t.equal(support.nodeFs.statSync(support.nodePath.dirname(registry)).mode & 0o7777, mode, 'and left alone')
    t.notOk(support.nodeFs.existsSync(`${registry}.lock`))
  }
})

const IN_THE_WAY: [title: string, make: (path: string) => unknown][] = [
  ['a file', (path) => support.nodeFs.writeFileSync(path, 'precious')],
  ['a directory', (path) => support.nodeFs.mkdirSync(path)],
  ['a fifo', (path) => support.nodeChildProcess.execFileSync('mkfifo', [path])],
  [
    'a symlink to a file',
    (path) => {
      support.nodeFs.writeFileSync(`${path}.precious`, 'precious')
      support.nodeFs.symlinkSync(`${path}.precious`, path)
    },
  ],
  ['a symlink to nothing', (path) => support.nodeFs.symlinkSync('/nowhere/at/all', path)],
]

for (const [title, make] of IN_THE_WAY) {
  t.test(`${title} in the socket's place is left alone, and said to be there`, async (t) => {
    const registry = newRegistryPath(t)
    make(registry)
    const before = support.nodeFs.lstatSync(registry)
    const { code, stderr } = await support.memsvc(registry, ['start'])
    t.equal(code, 1)
    t.match(stderr, `memsvc: ${registry} exists and is not a socket: memsvc does not replace it`)
    t.same({ ...support.nodeFs.lstatSync(registry), atimeMs: 0, atime: 0 }, { ...before, atimeMs: 0, atime: 0 })
  })
}

t.test('if no folder can be made, it says so and ends', async (t) => {
  // Of /proc mkdir(2) says that it is not there: EACCES to all but root.
  const said = { code: /^[14]$/, stderr: /mkdir '\/proc\/memsvc-test'|\/proc belongs to/ }
  t.match(await support.memsvc('/proc/memsvc-test/registry.sock', ['start']), said)
})

t.test("another program's socket is left alone while it listens", async (t) => {
  const registry = newRegistryPath(t)
  const server = support.nodeNet.createServer().listen(registry)
  await support.nodeEvents.once(server, 'listening')
  const { code, stderr } = await support.memsvc(registry, ['start'])
  server.close()
  t.equal(code, 1)
  t.match(stderr, `memsvc: ${registry} is the socket of another program: memsvc does not replace it`)
})

t.test('a symlink to a registry that runs leads to it', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const link = newRegistryPath(t)
  support.nodeFs.symlinkSync(registry, link)
  await support.startMemsvc(t, { registry: link, args: ['--name', 'second'] })
  t.equal((await support.openValue(t, registry, 'second')).get(), 0)
  t.ok(support.nodeFs.lstatSync(link).isSymbolicLink())
})

t.test('a lock file that is a symlink is not followed', async (t) => {
  const registry = newRegistryPath(t)
  const target = support.nodePath.join(support.nodePath.dirname(registry), 'precious')
  support.nodeFs.writeFileSync(target, 'precious')
  support.nodeFs.symlinkSync(target, `${registry}.lock`)
  t.match(await support.memsvc(registry, ['start']), { code: 1, stderr: /ELOOP/ })
  t.equal(support.nodeFs.readFileSync(target, 'utf8'), 'precious')
})

t.test('a lock file that is no file is refused', async (t) => {
  const registry = newRegistryPath(t)
  support.nodeChildProcess.execFileSync('mkfifo', [`${registry}.lock`])
  t.match(await support.memsvc(registry, ['start']), { code: 1, stderr: 'memsvc: the lock file is not a regular file' })
})

t.test('garbage in the lock file does not matter', async (t) => {
  const registry = newRegistryPath(t)
  support.nodeFs.writeFileSync(`${registry}.lock`, Buffer.alloc(100_000, 0xff))
  const { program } = await support.startMemsvc(t, { registry })
  t.equal(support.nodeFs.readFileSync(`${registry}.lock`, 'utf8'), `${program.pid}\n`)
})

t.test('a daemon whose lock file somebody has removed is found by the next one', async (t) => {
  const { registry } = await support.startMemsvc(t)
  support.nodeFs.rmSync(`${registry}.lock`)
  const { stderr } = (await support.startMemsvc(t, { registry, args: ['--name', 'second'] })).program
  t.notMatch(stderr.text, 'hosting the registry')
  t.equal((await support.openValue(t, registry, 'second')).get(), 0)
  t.equal((await support.openValue(t, registry)).get(), 0)
})

t.test('a path of 107 bytes is served, one of 108 is refused', async (t) => {
  const directory = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => support.nodeFs.rmSync(directory, { recursive: true }))
  const longest = support.nodePath.join(directory, 'r'.repeat(LONGEST_PATH - directory.length - 1))
  await support.startMemsvc(t, { registry: longest })
  t.equal((await support.openValue(t, longest)).get(), 0)
  for (const command of ['start', 'registry', 'status', 'list', 'stop']) {
    const { code, stderr } = await support.memsvc(`${longest}r`, [command])
    t.equal(code, 2, command)
    t.match(stderr, `must have 1 to ${LONGEST_PATH} bytes, this one has ${LONGEST_PATH + 1}`)
  }
})

t.test('the default is in XDG_RUNTIME_DIR, and MEMSVC_REGISTRY goes before it', async (t) => {
  const runtime = support.nodePath.dirname(newRegistryPath(t))
  const own = support.nodePath.join(runtime, 'memsvc', 'registry.sock')
  const other = newRegistryPath(t)
  await startsAt(t, own, { XDG_RUNTIME_DIR: runtime })
  t.equal(support.nodeFs.statSync(support.nodePath.dirname(own)).mode & 0o7777, 0o700)
  await startsAt(t, other, { XDG_RUNTIME_DIR: runtime, MEMSVC_REGISTRY: other })
})

/** Starts a daemon without --registry. */
async function startsAt(t: Test, registry: string, env: Record<string, string>): Promise<void> {
  const program = startProgram(support.MEMSVC, ['start'], { env })
  t.teardown(() => program.destroy())
  await program.stderr.find((line) => line.includes('"msg":"ready"'))
  t.equal((await support.openValue(t, registry)).get(), 0)
}
