/** What a cluster forgets, gets back from a backup, or has no room for: afterwards every copy is compared with it, key by key. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as support from '../test-support/index.ts'

const { base64, caughtUp, NO_ETCD, NO_ETCDCTL, patient, PREFIX, settingsOf, startCluster, startMachine, until } =
  support
patient(t)

const MIB = 1024 * 1024
const { codeOf, done } = support

t.test('much that was missed is made good by the watch', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const cables = await cluster.cables(t)
  const machine = await startMachine(t, settingsOf(cables.endpoints))
  await caughtUp(machine, cluster)
  cables.pull()
  // Together more than may come in one answer.
  for (let i = 0; i < 60; i++) await cluster.put(`${PREFIX}k${i % 12}`, Buffer.alloc(MIB, i + 1))
  // More than memsvc takes of its own clients, and all that etcd takes.
  await cluster.put(`${PREFIX}longest`, Buffer.alloc(1_500_000, 9))
  const together = ['a', 'b', 'c'].map((key) => ({ request_put: { key: base64(PREFIX + key), value: base64('1') } }))
  await cluster.ask('/v3/kv/txn', { success: together })
  cables.cutOff()
  cables.plugIn()
  t.strictSame(await caughtUp(machine, cluster), [])
  t.equal(machine.store.size, 16)
  t.equal(machine.replication.status.fullReads, 1)
})

t.test('a delete up to which all was compacted meanwhile is made good', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const cables = await cluster.cables(t)
  const machine = await startMachine(t, settingsOf(cables.endpoints))
  for (let round = 0; round < 3; round++) {
    await cluster.put(`${PREFIX}stays`, String(round))
    await cluster.put(`${PREFIX}goes`, String(round))
    t.strictSame(await caughtUp(machine, cluster), [])
    // Nobody else writes a pulse: what comes next is the delete.
    cables.cutOff()
    cables.pull()
    await cluster.compact(await cluster.delete(`${PREFIX}goes`))
    cables.plugIn()
    cables.cutOff()
    t.strictSame(await caughtUp(machine, cluster), [], `round ${round}`)
    t.strictSame(machine.store.keys(), ['stays'])
  }
})

t.test('a backup that was restored is read anew, also when it has gone on since', { skip: NO_ETCDCTL }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'backup')
  const cluster = await startCluster(t, { nodes: 3 })
  const machine = await startMachine(t, settingsOf(cluster.endpoints()))
  await cluster.put(`${PREFIX}changes`, '1')
  await cluster.put(`${PREFIX}goes`, '1')
  await caughtUp(machine, cluster)
  for (const writes of [1, 200]) {
    support.saveBackup(cluster, file)
    const lost = `lost${writes}`
    await cluster.put(`${PREFIX}${lost}`, '1')
    await cluster.put(`${PREFIX}changes`, '2')
    await until(() => machine.store.has(lost) && machine.store.get('changes') === 2)
    for (const node of cluster.nodes) node.cable.pull()
    await support.restoreBackup(cluster, file)
    for (let i = 0; i < writes; i++) await cluster.put(`${PREFIX}new${i % 3}`, String(i))
    for (const node of cluster.nodes) {
      node.cable.plugIn()
      node.cable.cutOff()
    }
    await until(() => !machine.store.has(lost))
    t.strictSame(await caughtUp(machine, cluster), [], `${writes} changes since`)
    t.equal(machine.store.get('changes'), 1)
  }
})

t.test(
  'a cluster that was full and has room again takes changes; the copy is live all the while',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t, { args: ['--quota-backend-bytes', String(8 * MIB)] })
    const machine = await startMachine(t, settingsOf(cluster.endpoints()))
    await caughtUp(machine, cluster)
    let i = 0
    const put = () => machine.store.set(`long${i++ % 12}`, Buffer.alloc(MIB - 1000), { timeoutMs: 60_000 })
    let said = ''
    const outcome = () =>
      put().then(
        () => '',
        (error) => `${error.code} ${error.message}`,
      )
    await until(async () => {
      said = await outcome()
      return said.startsWith('ERR_LIMIT')
    })
    t.equal(said, 'ERR_LIMIT the limit for bytes of the cluster is reached')
    t.strictSame(await caughtUp(machine, cluster), [])
    for (const key of machine.store.keys()) await cluster.delete(`${PREFIX}${key}`)
    t.strictSame(await caughtUp(machine, cluster), [])
    const { header } = await cluster.ask<{ header: { revision: string } }>('/v3/kv/range', { key: base64('x') })
    await cluster.compact(BigInt(header.revision))
    await cluster.ask('/v3/maintenance/defragment', {})
    const { alarms } = await cluster.ask<{ alarms: object[] }>('/v3/maintenance/alarm', { action: 'GET' })
    for (const alarm of alarms) await cluster.ask('/v3/maintenance/alarm', { action: 'DEACTIVATE', ...alarm })
    await done(() => machine.store.set('k', 1))
    t.strictSame(await caughtUp(machine, cluster), [])
  },
)

t.test('a node that has lost the others passes for none', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t, { nodes: 3 })
  const machine = await startMachine(t, settingsOf([cluster.nodes[0]?.url ?? '']))
  await done(() => machine.store.set('k', 1))
  for (const node of cluster.nodes.slice(1)) await node.kill('SIGSTOP')
  await until(() => machine.store.status.state === 'stale')
  t.equal(await codeOf(machine.store.set('k', 2, { timeoutMs: 60_000 })), 'ERR_TIMEOUT')
  t.equal(machine.store.get('k'), 1)
  for (const node of cluster.nodes.slice(1)) await node.kill('SIGCONT')
  t.strictSame(await caughtUp(machine, cluster), [])
})

t.test('a value whose lease has ended is gone', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const machine = await startMachine(t, settingsOf(cluster.endpoints()))
  const { ID } = await cluster.ask<{ ID: string }>('/v3/lease/grant', { TTL: '5' })
  await cluster.ask('/v3/kv/put', { key: base64(`${PREFIX}k`), value: base64('1'), lease: ID })
  await until(() => machine.store.get('k') === 1)
  await cluster.ask('/v3/lease/revoke', { ID })
  await until(() => !machine.store.has('k'))
  t.strictSame(await caughtUp(machine, cluster), [])
})
