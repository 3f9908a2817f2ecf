/** `memsvc replicate` as it is run: beside a registry, with memclient, killed and begun again. */
import { fileURLToPath } from 'node:url'
import { ServiceManager, SharedStore } from '@memsvc/shared'
import t, { type Test } from 'tap'
import * as support from '../test-support/index.ts'

const { base64, newRegistryPath, NO_ETCD, runProgram, startCluster, startDaemon, startProgram, until } = support
support.patient(t)

const bin = (name: string) => fileURLToPath(import.meta.resolve(`../../../../node_modules/.bin/${name}`))

async function startReplicate(t: Test, registry: string, endpoints: readonly string[], args: readonly string[] = []) {
  const program = startProgram(bin('memsvc'), [
    ...['replicate', '--registry', registry, '--prefix', 'test/', '--store', 'cluster', '--endpoint', ...endpoints],
    ...args,
  ])
  t.teardown(() => program.destroy())
  if ((await program.stderr.find((line) => line.includes('"msg":"ready"'))) === null)
    throw new Error(program.stderr.text)
  return program
}

t.test('values of the cluster are there for memclient, also while the cluster is not', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const { registry } = await startDaemon(t, bin('memsvc'), { command: 'registry' })
  await startReplicate(t, registry, cluster.endpoints())
  const memclient = (...args: string[]) =>
    runProgram(bin('memclient'), [
      ...args,
      '--registry',
      registry,
      ...(args[0] === 'list' ? [] : ['--store', 'cluster']),
    ])
  t.match(await memclient('put', 'limits.rps', '500'), { code: 0 })
  t.match(await memclient('get', 'limits.rps', '--max-age', '10s'), { code: 0, stdout: '500' })
  t.match(await memclient('increment', 'limits.rps', '5'), { code: 0, stdout: '505' })
  const copied = JSON.parse((await memclient('get', 'limits.rps', '--json')).stdout)
  const { revision } = (await cluster.contents('test/')).get('limits.rps') ?? {}
  t.match(copied, { key: 'limits.rps', value: 505, state: 'live', revision: Number(revision), applied: Number })
  t.ok(copied.ageMs >= 0 && copied.applied >= copied.revision)
  t.match(await memclient('put', 'limits.rps', '1', '--if-version', '1'), { code: 6 })
  t.match(await memclient('put', 'limits.rps', '1', '--ttl', '5'), { code: 1 })
  t.equal((await cluster.contents('test/')).get('limits.rps')?.value.toString(), '505')
  const asked = await runProgram(bin('memsvc'), ['status', 'cluster', '--json', '--registry', registry])
  t.match(JSON.parse(asked.stdout), { state: 'live', keys: 1, fullReads: 1, machine: String })
  const metrics = await runProgram(bin('memsvc'), ['metrics', 'cluster', '--registry', registry])
  t.match(metrics.stdout, /memsvc_replica_state\{store="cluster",state="live"\} 1/)
  for (const node of cluster.nodes) node.cable.pull()
  await until(async () => (await memclient('get', 'limits.rps', '--max-age', '2s')).code === 5)
  t.match(await memclient('get', 'limits.rps'), { code: 0, stdout: '505' })
  await until(async () => (await memclient('get', 'limits.rps', '--json')).stdout.includes('"state":"stale"'))
  t.match(await memclient('put', 'limits.rps', '1', '--timeout', '60'), { code: 5 })
})

t.test('killed in the middle of changes it begins again with what the cluster has', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const { registry } = await startDaemon(t, bin('memsvc'), { command: 'registry' })
  const first = await startReplicate(t, registry, cluster.endpoints())
  let isWriting = true
  const writing = (async () => {
    for (let i = 0; isWriting; i++) await cluster.put(`test/k${i % 50}`, String(i))
  })()
  const memclient = (...args: string[]) =>
    runProgram(bin('memclient'), [...args, '--registry', registry, '--store', 'cluster'])
  await until(async () => (await memclient('get', 'k49')).code === 0)
  await first.kill('SIGKILL')
  await cluster.delete('test/k7')
  await startReplicate(t, registry, cluster.endpoints())
  isWriting = false
  await writing
  const there = await cluster.contents('test/')
  there.delete('.pulse')
  const expected = Object.fromEntries([...there].map(([key, { value }]) => [key, JSON.parse(value.toString())]))
  let seen: unknown = null
  await until(async () => {
    seen = JSON.parse((await memclient('export')).stdout)
    return JSON.stringify(sorted(seen)) === JSON.stringify(sorted(expected))
  })
  t.strictSame(sorted(seen), sorted(expected))
})

function sorted(object: unknown): unknown {
  return Object.fromEntries(Object.entries(object as object).sort(([a], [b]) => (a < b ? -1 : 1)))
}

t.test('12,000 keys come whole, the log tells how far, and an open reader keeps them', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  for (let i = 0; i < 12_000; i += 120) {
    const success = Array.from({ length: 120 }, (_, j) => ({
      request_put: { key: base64(`test/k${i + j}`), value: base64(`${i + j}`) },
    }))
    await cluster.askPatiently('/v3/kv/txn', { success })
  }
  const { registry } = await startDaemon(t, bin('memsvc'), { command: 'registry' })
  const program = await startReplicate(t, registry, cluster.endpoints(), ['--ready-within', '600'])
  const progress = program.stderr.text.split('\n').filter((line) => line.includes('"msg":"reading"'))
  const counts = progress.map((line) => JSON.parse(line).keys)
  t.match(counts, [Number, Number])
  t.ok(counts[0] >= 5000 && counts[1] >= counts[0] + 5000 && counts[1] <= 12_000, counts.join())
  using manager = await ServiceManager.connect({ path: registry })
  using store = await SharedStore.open('cluster', { manager })
  const same = async () => {
    const wanted = await cluster.contents('test/')
    wanted.delete('.pulse')
    t.equal(store.keys().length, wanted.size)
    return [...wanted].filter(([key, { value }]) => String(store.get(key)) !== value.toString()).map(([key]) => key)
  }
  t.strictSame(await same(), [])
  t.equal(await store.revisionOf('k7'), (await cluster.contents('test/')).get('k7')?.revision)
  program.kill('SIGKILL')
  await program.ending
  t.strictSame(await same(), [], 'also when the replicator was killed')
})

t.test('without endpoints it says where they go', async (t) => {
  const registry = newRegistryPath(t)
  const ended = await runProgram(bin('memsvc'), ['replicate', '--registry', registry])
  t.match(ended, { code: 2, stderr: /endpoints/ })
})

/** Nobody listens there. */
const NOWHERE = ['--endpoint', 'http://127.0.0.1:1', '--ready-within', '0.05']

t.test('a name that another process holds ends it, with who that is', async (t) => {
  const { registry, program } = await startDaemon(t, bin('memsvc'), { args: ['--name', 'taken'] })
  const ended = await runProgram(bin('memsvc'), ['replicate', '--registry', registry, '--store', 'taken', ...NOWHERE])
  t.match(ended, { code: 1, stdout: '' })
  t.match(ended.stderr.split('\n').at(-1), `memsvc: the name taken is held by process ${program.pid}`)
})

t.test('without a registry it waits for one', async (t) => {
  const registry = newRegistryPath(t)
  const program = startProgram(bin('memsvc'), ['replicate', '--registry', registry, '--store', 'cluster', ...NOWHERE])
  t.teardown(() => program.destroy())
  await program.stderr.find((line) => line.includes('"msg":"starting"'))
  await startDaemon(t, bin('memsvc'), { command: 'registry', registry })
  t.ok(await program.stderr.find((line) => line.includes('"msg":"ready"')))
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
})

t.test('its log says once why a copy that never was live is not', async (t) => {
  const { registry } = await startDaemon(t, bin('memsvc'), { command: 'registry' })
  const program = await startReplicate(t, registry, ['http://127.0.0.1:1'], ['--ready-within', '0.05'])
  const told = () => program.stderr.text.split('\n').filter((line) => line.includes('"msg":"the copy"'))
  const status = ['status', 'cluster', '--json', '--registry', registry]
  await until(async () => JSON.parse((await runProgram(bin('memsvc'), status)).stdout).sessions > 3)
  const [line = '', ...more] = told()
  t.match(JSON.parse(line), { state: 'syncing', reason: /ECONNREFUSED/ })
  t.strictSame(more, [])
})

t.test('a warning of the process is a line of its log', async (t) => {
  const warns = 'setInterval(() => process.emitWarning("something odd"), 20).unref()'
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(warns)}` }
  const args = ['replicate', '--registry', newRegistryPath(t), '--store', 'cluster', ...NOWHERE]
  const program = startProgram(bin('memsvc'), args, { env })
  t.teardown(() => program.destroy())
  const line = await program.stderr.find((line) => line.includes('something odd') && line.startsWith('{'))
  t.match(JSON.parse(line ?? ''), { level: 40, msg: 'warning', err: { message: 'something odd' } })
})
