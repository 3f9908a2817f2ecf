/** What an operator asks a daemon that runs: its numbers, how it is, its log. */
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const { ConfigurationFile, MEMSVC, memsvc, openStore, openValue, readExposition, startMemsvc } = support

watchdog(t)
leakChecked(t)

/** One of the numbers of a daemon. */
async function metric(
  registry: string,
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const { code, stdout } = await memsvc(registry, ['metrics'])
  t.equal(code, 0)
  const { samples } = readExposition(`${stdout}\n`)
  const isMeant = (sample: (typeof samples)[number]) =>
    sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  return samples.find(isMeant)?.value
}

t.test('metrics are text of the format 0.0.4 that counts what happens', async (t) => {
  const { registry } = await startMemsvc(t)
  const value = await openValue(t, registry)
  const store = await openStore(t, registry)
  const writes = (service: string) => metric(registry, 'memsvc_writes_total', { service })
  for (const each of [1, 2, 3]) await value.set(each)
  await store.update([
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ])
  t.equal(await writes('AnonymousSharedMemory'), 3)
  t.equal(await writes('SharedStore'), 2)
  t.equal(await metric(registry, 'memsvc_value'), 3)
  t.equal(await metric(registry, 'memsvc_store_keys'), 2)
  await store.set('a', 1, { ifVersion: 1n }).catch(() => undefined)
  t.equal(await metric(registry, 'memsvc_refusals_total', { reason: 'ERR_CONFLICT' }), 1)
  await memsvc(registry, ['reload'])
  t.equal(await metric(registry, 'memsvc_reloads_total', { result: 'done' }), 1)
  const calls = (await metric(registry, 'memsvc_calls_total', { kind: 'answered' })) ?? 0
  t.ok(((await metric(registry, 'memsvc_calls_total', { kind: 'answered' })) ?? 0) > calls)
  t.equal(await metric(registry, 'memsvc_used', { resource: 'names' }), 2)
})

const PROMTOOL = support.nodeChildProcess.spawnSync('promtool', ['--version']).status === 0
if (!PROMTOOL && process.env.CI !== undefined) throw new Error('CI has no promtool: see .ci/run')

t.test(
  'Prometheus’ own tool reads the metrics, and has nothing to say of them',
  { skip: PROMTOOL ? false : 'needs promtool (Debian: prometheus)' },
  async (t) => {
    const { registry } = await startMemsvc(t)
    const store = await openStore(t, registry)
    await store.set('a', 1, { ifVersion: 1n }).catch(() => undefined)
    const text = `${(await memsvc(registry, ['metrics'])).stdout}\n`
    const check = (input: string) => {
      const { status, stdout, stderr } = support.nodeChildProcess.spawnSync('promtool', ['check', 'metrics'], {
        input,
        encoding: 'utf8',
      })
      return { status, said: stdout + stderr }
    }
    t.strictSame(check(text), { status: 0, said: '' })
    t.not(check(`${text}memsvc_wrong{a=b} 1\n`).status, 0, 'it would have said so')
  },
)

t.test('a watcher that is told is a notice', async (t) => {
  const { registry } = await startMemsvc(t)
  const value = await openValue(t, registry)
  const changes = value.changes()
  await changes.next()
  await value.set(7)
  t.match(await changes.next(), { value: 7 })
  t.equal(await metric(registry, 'memsvc_notices_total'), 1)
  await changes.return()
})

t.test(
  'a write without the right is counted as a refusal, by its reason',
  { skip: otherUserProblem(MEMSVC) },
  async (t) => {
    const registry = newRegistryPath(t, 0o711)
    await startMemsvc(t, { registry, args: ['--socket-mode', '666'] })
    t.match(await support.callAs(OTHER_UID, registry, 'write'), { code: 'ERR_SECURITY' })
    t.equal(await metric(registry, 'memsvc_refusals_total', { reason: 'ERR_SECURITY' }), 1)
    for (const command of ['metrics', 'log'])
      t.match(await memsvc(registry, [command], { uid: OTHER_UID }), { code: 4, stdout: '' })
  },
)

t.test('for a textfile collector metrics go to a file that is whole', async (t) => {
  const { registry } = await startMemsvc(t)
  const folder = t.testdir()
  const path = support.nodePath.join(folder, 'memsvc.prom')
  t.match(await memsvc(registry, ['metrics', '--output', path]), { code: 0, stdout: '', stderr: '' })
  const { types } = readExposition(support.nodeFs.readFileSync(path, 'utf8'))
  t.equal(types.get('memsvc_writes_total'), 'counter')
  t.strictSame(support.nodeFs.readdirSync(folder), ['memsvc.prom'])
  t.match(await memsvc(registry, ['metrics', '--output', '/nowhere/at/all']), {
    code: 1,
    stderr: /^memsvc: cannot write to \/nowhere\/at\/all: ENOENT/,
  })
  t.match(await memsvc(registry, ['metrics', '--output', '']), { code: 2 })
})

t.test('metrics replace only files; a link is followed, and - is stdout', async (t) => {
  const { registry } = await startMemsvc(t)
  const folder = t.testdir({ 'memsvc.prom': 'old' })
  const place = (name: string) => support.nodePath.join(folder, name)
  support.nodeFs.chmodSync(place('memsvc.prom'), 0o600)
  support.nodeFs.symlinkSync('/dev/null', place('device'))
  support.nodeFs.symlinkSync('memsvc.prom', place('link'))
  for (const name of ['device', 'link'])
    t.match(await memsvc(registry, ['metrics', '--output', place(name)]), { code: 0 })
  t.match(support.nodeFs.readFileSync(place('memsvc.prom'), 'utf8'), /^# TYPE memsvc_writes_total counter$/m)
  t.equal(support.nodeFs.statSync(place('memsvc.prom')).mode & 0o777, 0o600)
  for (const name of ['device', 'link']) t.ok(support.nodeFs.lstatSync(place(name)).isSymbolicLink(), name)
  t.match(await memsvc(registry, ['metrics', '--output', '-']), {
    code: 0,
    stdout: /^# TYPE memsvc_writes_total counter$/m,
  })
})

t.test('one that took the registry over says so', async (t) => {
  const first = await startMemsvc(t)
  const { registry } = first
  await startMemsvc(t, { registry, args: ['--name', 'second'] })
  first.program.kill('SIGKILL')
  await support.namesBecome(registry, ['second'])
  const { stdout } = await memsvc(registry, ['metrics', 'second'])
  t.match(stdout, /^memsvc_takeovers_total 1$/m)
  t.match(stdout, /^memsvc_registry_host 1$/m)
})

t.test('status shows the uptime, the configuration, and how much of its limits each user has used', async (t) => {
  const { path } = new ConfigurationFile(t, { limits: { watchers: { perPeer: 7 } } })
  const { registry, program } = await startMemsvc(t, { args: ['--config', path] })
  const value = await openValue(t, registry)
  const changes = value.changes()
  await changes.next()
  const before = Date.now()
  await value.set(42)
  const { stdout } = await memsvc(registry, ['status', '--json'])
  const status = JSON.parse(stdout)
  t.match(status, { configuration: path, version: /^\d+\.\d+\.\d+$/, log: { level: 'info', format: 'json' } })
  t.ok(Date.parse(status.valueChangedAt) >= before - 1)
  t.ok(Date.parse(status.startedAt) <= Date.now())
  t.match(status.users, [{ uid: process.getuid?.(), used: { watchers: { used: 1, limit: 65_536 } } }])
  const [peer] = status.peers.filter(({ used }: { used: object }) => 'watchers' in used)
  t.match(peer, { pid: process.pid, used: { watchers: { used: 1, limit: 7 } } })
  const people = (await memsvc(registry, ['status'])).stdout
  t.match(people, `\nconfiguration: ${path}\n`)
  t.match(people, /^value since: \S+ \(\d+ s ago\)$/m)
  t.match(people, /^uptime: \d+ (s|min)/m)
  t.match(people, /^store SharedStore: 0 keys, /m)
  t.match(people, new RegExp(`^ {2}pid ${program.pid}, uid `, 'm'))
  await changes.return()
})

t.test('top shows it again and again, as often as it is asked to', async (t) => {
  const { registry } = await startMemsvc(t)
  const { code, stdout } = await memsvc(registry, ['top', '--count', '2', '--interval', '0.05'])
  t.equal(code, 0)
  t.equal(stdout.match(/^memsvc \S+ {2}AnonymousSharedMemory {2}pid \d+/gm)?.length, 2)
  t.match(stdout, /^calls +\d+ +\d+\.\d$/m)
  for (const wrong of [
    ['--interval', '0'],
    ['--count', 'x'],
  ])
    t.match(await memsvc(registry, ['top', ...wrong]), { code: 2, stdout: '' })
})

t.test('the level and the format of the log change while the daemon runs', async (t) => {
  const { registry, program } = await startMemsvc(t)
  t.match(await memsvc(registry, ['log']), { code: 0, stdout: 'level info, format json' })
  t.match(await memsvc(registry, ['log', '--level', 'debug', '--format', 'text', '--json']), {
    code: 0,
    stdout: JSON.stringify({ name: 'AnonymousSharedMemory', level: 'debug', format: 'text' }),
  })
  t.match(await program.stderr.find((line) => line.includes(' DEBUG ')), /^\d{4}-\d\d-\d\d [\d:.]+ DEBUG ended of=/)
  for (const wrong of [
    ['--level', 'loud'],
    ['--format', 'xml'],
  ])
    t.match(await memsvc(registry, ['log', ...wrong]), { code: 2 })
})

t.test('version says what it runs on', async (t) => {
  const verbose = await support.runMemsvc(['version', '--verbose', '--json'])
  t.match(JSON.parse(verbose.stdout), {
    node: process.versions.node,
    kernel: support.nodeOs.release(),
    addon: /\.node$/,
  })
  t.match(await support.runMemsvc(['version']), { code: 0, stdout: /^\d+\.\d+\.\d+$/ })
})
