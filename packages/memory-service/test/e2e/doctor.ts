/** `memsvc doctor`: what it finds on machines that are well, and on some that are not. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as harness from '@memsvc/shared/test-support'
import t from 'tap'
import { ConfigurationFile, MEMSVC, memsvc, startMemsvc } from '../../test-support/index.ts'

interface Finding {
  readonly name: string
  readonly verdict: string
  readonly found: string
  readonly follows: string | null
  readonly remedy: string | null
}

const NAMES = [
  'memfd',
  'seals',
  'memfd without execution',
  'reopening by /proc',
  'credentials',
  'groups of a peer',
  'refusing descriptors',
  'pidfd of a peer',
  'open files',
  'file size',
  'memory of the cgroup',
  'memory for stores',
  'lmdb, for --state',
  'systemd',
  'configuration',
  'path of the registry',
  'folders on the path',
  'folder of the socket',
  'lock file',
  'registry',
]

harness.watchdog(t)
harness.leakChecked(t)

/** What `doctor --json` ended with and found, by name. */
async function examine(registry: string, args: string[] = [], options: Parameters<typeof memsvc>[2] = {}) {
  const { code, stdout, stderr } = await memsvc(registry, ['doctor', '--json', ...args], options)
  if (stdout === '') throw new Error(stderr)
  const findings = stdout.split('\n').map((line) => JSON.parse(line) as Finding)
  return { code, findings, of: (name: string) => findings.find((finding) => finding.name === name) }
}

t.test('if a daemon runs, there is no problem, and the registry answers', async (t) => {
  const { registry } = await startMemsvc(t)
  const { code, findings, of } = await examine(registry)
  t.strictSame(
    findings.map(({ name }) => name),
    NAMES,
  )
  t.strictSame(
    findings.filter(({ verdict }) => verdict === 'problem'),
    [],
  )
  t.equal(code, 0)
  t.match(of('registry'), {
    verdict: 'ok',
    found: `${registry}, mode 0600, owner ${process.getuid?.()}, run by uid ${process.getuid?.()}, services: 2`,
  })
})

t.test('each finding that is not ok has its consequence and a remedy, the others do not', async (t) => {
  const { findings } = await examine(harness.newRegistryPath(t))
  for (const { name, verdict, follows, remedy } of findings) {
    t.ok(verdict === 'ok' ? follows === null && remedy === null : follows && remedy, name)
  }
})

t.test('for people it is a line for each, and more for what is not ok', async (t) => {
  const registry = harness.newRegistryPath(t)
  const { code, stdout } = await memsvc(registry, ['doctor'])
  t.equal(code, 0)
  t.match(stdout, /^ok {7}memfd: /)
  t.match(
    stdout,
    `warning  registry: no registry at ${registry}: start one with 'memsvc start' and --registry ${registry}\n`,
  )
  t.match(stdout, '\n         do: memsvc start')
})

t.test('a folder that is not there will be made', async (t) => {
  t.match((await examine(join(harness.newRegistryPath(t), '../a/b/r.sock'))).of('folder of the socket'), {
    verdict: 'ok',
    found: /will be made, with mode 0700/,
  })
})

t.test(
  'stores that may become larger than the memory are a warning, and areas that cannot be made a problem',
  async (t) => {
    const registry = harness.newRegistryPath(t)
    const { path } = new ConfigurationFile(t, {
      stores: [{ name: 'huge', capacity: '900 GiB', rules: [{ keys: ['a'], read: [] }] }],
    })
    t.match((await examine(registry)).of('memory for stores'), { found: /^1 with up to 64 MiB in total/ })
    t.match((await examine(registry, ['--config', path])).of('memory for stores'), {
      verdict: 'warning',
      found: /^2 with up to 1843264 MiB in total/,
      remedy: /capacity/,
    })
    const { code, of } = await examine(registry, ['--config', path], { prefix: ['prlimit', '--fsize=100000000'] })
    t.equal(code, 1)
    t.match(of('memory for stores'), { verdict: 'problem', follows: /EFBIG/ })
    t.match(of('lmdb, for --state'), { verdict: 'ok' })
  },
)

t.test('it tells every folder on the way: one of everybody is a problem, one of a group is to be known', async (t) => {
  const registry = harness.newRegistryPath(t, 0o777)
  const { code, of } = await examine(join(dirname(registry), 'a/b/r.sock'))
  t.equal(code, 1)
  t.match(of('folders on the path'), {
    verdict: 'problem',
    found: `${dirname(registry)} can be written to by everybody (mode 0777)`,
  })
  t.match(of('registry'), { verdict: 'problem', found: /is not trusted/ })
  chmodSync(dirname(registry), 0o770)
  t.match((await examine(registry)).of('folders on the path'), {
    verdict: 'warning',
    found: `${dirname(registry)} can be written to by its group`,
  })
})

t.test('it tells what chose the path', async (t) => {
  const registry = harness.newRegistryPath(t)
  const ask = async (args: string[], env: Record<string, string>) => {
    const { stdout } = await harness.runProgram(MEMSVC, ['doctor', ...args], { env })
    return stdout.split('\n').find((line) => line.includes('path of the registry'))
  }
  const runtime = { XDG_RUNTIME_DIR: dirname(registry) }
  t.match(await ask(['--registry', registry], runtime), `${registry}, chosen by --registry`)
  t.match(await ask(['--system'], runtime), '/run/memsvc/registry.sock, chosen by --system or --user')
  t.match(await ask([], { ...runtime, MEMSVC_REGISTRY: registry }), `${registry}, chosen by MEMSVC_REGISTRY`)
  t.match(await ask([], runtime), "memsvc/registry.sock, the user's, because XDG_RUNTIME_DIR is set")
  t.match(await ask([], {}), "/run/memsvc/registry.sock, the machine's, because XDG_RUNTIME_DIR is not set")
})

t.test(
  'what a daemon of root left in a folder of this user is told',
  { skip: harness.otherUserProblem(MEMSVC) },
  async (t) => {
    const registry = harness.newRegistryPath(t)
    chownSync(dirname(registry), harness.OTHER_UID, harness.OTHER_UID)
    writeFileSync(`${registry}.lock`, '', { mode: 0o600 })
    const { of } = await examine(registry, [], { uid: harness.OTHER_UID })
    t.match(of('lock file'), { verdict: 'warning', found: `${registry}.lock belongs to uid 0`, remedy: /rm / })
  },
)

t.test('a wrong configuration is a problem, with its line', async (t) => {
  const { path } = new ConfigurationFile(t, '{\n"x": 1}')
  const { code, of } = await examine(harness.newRegistryPath(t), ['--config', path])
  t.equal(code, 1)
  t.match(of('configuration'), { verdict: 'problem', found: `${path}:2: the document has no member "x"` })
})

t.test('few open files lower the limits, too few are a problem, and so are limits that do not fit', async (t) => {
  const registry = harness.newRegistryPath(t)
  const few = await examine(registry, [], { prefix: ['prlimit', '--nofile=200'] })
  t.equal(few.code, 0)
  t.match(few.of('open files'), { verdict: 'warning', found: '200 are allowed', follows: /29 connections/ })
  const tooFew = await examine(registry, [], { prefix: ['prlimit', '--nofile=60'] })
  t.equal(tooFew.code, 1)
  t.match(tooFew.of('open files'), { verdict: 'problem', found: /hard limit of 60 open files is too low/ })
  t.match((await examine(registry, ['--max-channels', '1000000'])).of('open files'), { verdict: 'problem' })
})

t.test('a registry that is stopped does not answer', async (t) => {
  const { registry, program } = await startMemsvc(t)
  program.kill('SIGSTOP')
  const { code, of } = await examine(registry)
  t.equal(code, 1)
  t.match(of('registry'), { verdict: 'problem', found: `${registry} does not answer` })
})

t.test('a user who is not admitted is told so', { skip: harness.otherUserProblem(MEMSVC) }, async (t) => {
  const registry = harness.newRegistryPath(t, 0o711)
  await startMemsvc(t, { registry })
  const { code, of } = await examine(registry, [], { uid: harness.OTHER_UID })
  t.equal(code, 1)
  t.match(of('registry'), { verdict: 'problem', follows: 'this user cannot be a client of it' })
  t.match(of('folder of the socket'), { verdict: 'warning', found: /EACCES/ })
})

t.test('a folder that this user cannot make is a problem', { skip: harness.otherUserProblem(MEMSVC) }, async (t) => {
  const folder = join(harness.newRegistryPath(t, 0o711), '../closed')
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  const { code, of } = await examine(join(folder, 'new/registry.sock'), [], { uid: harness.OTHER_UID })
  t.equal(code, 1)
  t.match(of('folder of the socket'), { verdict: 'problem', found: /EACCES/ })
})
