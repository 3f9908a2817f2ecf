/** Limits that somebody asked for: what `memsvc limits` says of them, and what a daemon does at n and at n + 1. */
import { Binder, errorCode, IWatch, ServiceManager } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

interface Row {
  readonly name: string
  readonly limit: number
}

watchdog(t)
leakChecked(t)

async function limitsOf(...args: string[]): Promise<Map<string, number>> {
  const { code, stdout, stderr } = await support.memsvc('/none', ['limits', '--json', ...args])
  if (code !== 0) throw new Error(stderr)
  const rows = stdout.split('\n').map((line) => JSON.parse(line) as Row)
  return new Map(rows.map(({ name, limit }) => [name, limit]))
}

t.test('limits --json has one object a line, each with name, limit, unit, error and meaning', async (t) => {
  const { stdout } = await support.memsvc('/none', ['limits', '--json'])
  const rows = stdout.split('\n').map((line) => JSON.parse(line))
  t.ok(rows.length > 30)
  for (const row of rows) t.strictSame(Object.keys(row), ['name', 'limit', 'unit', 'error', 'meaning'])
  t.match(rows[0], { name: 'connections', limit: 4096, unit: 'connections', error: 'ERR_LIMIT' })
})

t.test('limits are those of the configuration, and options come before it', async (t) => {
  const { path } = new support.ConfigurationFile(t, {
    limits: { connections: { total: 12_000, perUser: 100 }, watchers: { total: 8 } },
  })
  const limits = await limitsOf('--config', path, '--max-watchers', '20', '--max-channels', '1000000')
  t.equal(limits.get('connections'), 12_000)
  t.equal(limits.get('connections of one user'), 100)
  t.equal(limits.get('watchers'), 20)
  t.equal(limits.get('watchers of one user'), 15)
  t.equal(limits.get('channels'), 1_000_000)
})

for (const count of ['0', '-1', '1.5', '1000001', '4294967296', '1e3', 'many', '']) {
  t.test(`--max-connections ${JSON.stringify(count)} is no count`, async (t) => {
    t.match(await support.memsvc('/none', ['limits', `--max-connections=${count}`]), { code: 2, stdout: '' })
  })
}

t.test('totals that do not fit into the open files are refused in one line; defaults are lowered', async (t) => {
  const registry = newRegistryPath(t)
  const { code, stderr } = await support.memsvc(registry, ['start', '--max-connections', '1000000'])
  t.equal(code, 2)
  t.match(
    stderr,
    /^memsvc: the hard limit of \d+ open files is too low: the daemon itself needs .* and 1000000 connections\. Raise it[^\n]*$/,
  )
})

/** A daemon of which a few are too many; itself it takes one connection and, when it is asked, one more with a channel. */
async function startSmall(t: Test, limits: object): Promise<string> {
  const { path } = new support.ConfigurationFile(t, { limits })
  const { registry } = await support.startMemsvc(t, { args: ['--config', path] })
  return registry
}

t.test('the connection after the last is told so, and there is room again when one is gone', async (t) => {
  const registry = await startSmall(t, { connections: { total: 4 } })
  const managers = await Promise.all([1, 2, 3].map(() => support.connect(t, registry)))
  for (const manager of managers) t.strictSame(await manager.listServices(), support.OWN_NAMES)
  t.match(await support.memsvc(registry, ['list']), {
    code: 5,
    stderr: /the limit of 4 for connections is reached \(4\)/,
  })
  managers[0]?.close()
  while ((await support.memsvc(registry, ['list'])).code === 5);
  t.match(await support.memsvc(registry, ['list']), { code: 0 })
})

t.test('the channel after the last is told so, and those that are there go on', async (t) => {
  const registry = await startSmall(t, { channels: { total: 2 } })
  const values = [await support.openValue(t, registry), await support.openValue(t, registry)]
  const refusal = { code: 'ERR_LIMIT', resource: 'channels', limit: 2, used: 2 }
  await t.rejects(support.openValue(t, registry), refusal)
  for (const value of values) await value.set(value.get() + 1)
  t.equal(values[0]?.get(), 2)
})

t.test('the watcher after the last of a channel is refused, and of all', async (t) => {
  const registry = await startSmall(t, { watchers: { total: 3, perUser: 3, perPeer: 2 } })
  const [first, second] = [await support.openValue(t, registry), await support.openValue(t, registry)]
  const watch = (value: typeof first) => IWatch.asInterface(value.binder).watch(new Binder())
  await watch(first)
  await watch(first)
  await t.rejects(async () => watch(first), { code: 'ERR_LIMIT', resource: 'watchers of one peer', limit: 2, used: 2 })
  await watch(second)
  await t.rejects(async () => watch(second), { code: 'ERR_LIMIT', resource: 'watchers', limit: 3, used: 3 })
  t.equal((await support.readStatus(registry)).watchers, 3)
})

t.test('the name and the callback after the last of a connection are refused', async (t) => {
  const registry = await startSmall(t, { names: { perPeer: 1 }, notifications: { perPeer: 1 } })
  const manager = await support.connect(t, registry)
  await manager.addService('first', new Binder())
  const ofNames = { code: 'ERR_LIMIT', resource: 'names of one peer', limit: 1, used: 1 }
  await t.rejects(manager.addService('second', new Binder()), ofNames)
  await manager.registerForNotifications('first', () => undefined)
  const ofCallbacks = { code: 'ERR_LIMIT', resource: 'notifications of one peer', limit: 1, used: 1 }
  await t.rejects(
    manager.registerForNotifications('second', () => undefined),
    ofCallbacks,
  )
})

t.test(
  'a user who takes a whole share leaves the rest to others',
  { skip: otherUserProblem(support.MEMSVC) },
  async (t) => {
    const registry = newRegistryPath(t, 0o711)
    const { path } = new support.ConfigurationFile(t, { limits: { connections: { total: 20, perUser: 3 } } })
    const { program } = await support.startMemsvc(t, { registry, args: ['--socket-mode', '666', '--config', path] })
    // The program that calls has one connection of its own.
    const outcome = { ok: { served: 2, refused: Array(4).fill('ERR_LIMIT') } }
    t.strictSame(await support.callAs(OTHER_UID, registry, 'connections', '6'), outcome)
    t.strictSame(await (await support.connect(t, registry)).listServices(), support.OWN_NAMES)
    t.strictSame(support.warnings(program.stderr.text), [], 'a refusal is no line of log')
  },
)

t.test('lowered limits are in the log, and a daemon with few descriptors refuses clients and lives', async (t) => {
  const { program, registry } = await support.startMemsvc(t, { prefix: ['prlimit', '--nofile=120'] })
  const lowered = program.stderr.text.split('\n').find((line) => line.includes('limits were lowered'))
  t.match(JSON.parse(lowered ?? '{}'), { lowered: { connections: 13, channels: 13 } })
  const value = await support.openValue(t, registry)
  const managers: ServiceManager[] = []
  const outcomes: string[] = []
  for (let i = 0; i < 200; i++) {
    const manager = await ServiceManager.connect({ path: registry })
    managers.push(manager)
    outcomes.push(
      await manager.listServices().then(
        () => 'ok',
        (error) => String(errorCode(error)),
      ),
    )
  }
  t.equal(outcomes.filter((outcome) => outcome === 'ok').length, 11, 'the daemon and the value have one each')
  t.strictSame(new Set(outcomes.slice(11)), new Set(['ERR_LIMIT']))
  await value.set(9)
  t.equal(value.get(), 9)
  for (const manager of managers) manager.close()
  t.strictSame(support.warnings(program.stderr.text), [])
})
