/** Three nodes, machines with cables of their own, and what breaks: afterwards every copy is compared with the cluster, key by key. */
import t from 'tap'
import * as support from '../test-support/index.ts'

const { caughtUp, NO_ETCD, PREFIX, settingsOf, startCluster, startMachine, until } = support
support.patient(t)

const { codeOf, done } = support

t.test(
  'a machine that is cut off says so, goes on reading, changes nothing, and comes back',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t, { nodes: 3 })
    const cables = await cluster.cables(t, 2)
    const away = await startMachine(t, settingsOf(cables.endpoints))
    const home = await startMachine(t, settingsOf((await cluster.cables(t)).endpoints))
    const twenty = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: i }))
    await done(() => home.store.update(twenty))
    t.strictSame(await caughtUp(away, cluster), [])
    cables.pull()
    await until(() => away.store.status.state === 'stale')
    t.ok(away.store.status.ageMs <= 60_000 && away.store.status.ageMs > 2000)
    t.equal(away.store.get('k3'), 3)
    t.equal(await codeOf(away.store.set('k3', 'lost', { timeoutMs: 60_000 })), 'ERR_TIMEOUT')
    await done(() => home.store.set('k3', 'new'))
    await done(() => home.store.delete('k4'))
    await cluster.compact(home.store.status.applied as bigint)
    cables.plugIn()
    t.strictSame(await caughtUp(away, cluster), [])
    t.strictSame([away.store.get('k3') === 3, away.store.has('k4')], [false, false])
  },
)

t.test('nodes die and come back: no acknowledged increment is lost or made twice', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t, { nodes: 3 })
  const machines = [
    await startMachine(t, settingsOf((await cluster.cables(t, 0)).endpoints)),
    await startMachine(t, settingsOf((await cluster.cables(t, 1)).endpoints)),
  ]
  for (const machine of machines) await caughtUp(machine, cluster)
  let isOver = false
  const counts = machines.map(async ({ store }) => {
    let [done, unknown] = [0, 0]
    while (!isOver) {
      const outcome = await codeOf(store.increment('n', 1, { timeoutMs: 60_000 }))
      if (outcome === 'done') done += 1
      else unknown += 1
    }
    return { done, unknown }
  })
  await until(() => Number(machines[0]?.store.get('n') ?? 0) > 10)
  const leader = cluster.nodes[await cluster.leader()]
  await leader?.kill()
  await cluster.ready()
  leader?.start()
  const before = Number((await cluster.contents(PREFIX)).get('n')?.value)
  await until(() => Number(machines[1]?.store.get('n') ?? 0) > before + 5)
  isOver = true
  const results = await Promise.all(counts)
  for (const machine of machines) t.strictSame(await caughtUp(machine, cluster), [])
  const done = results.reduce((sum, { done }) => sum + done, 0)
  const unknown = results.reduce((sum, { unknown }) => sum + unknown, 0)
  const n = Number(machines[0]?.store.get('n'))
  t.ok(n >= done && n <= done + unknown, `${done} done, ${unknown} unknown, ${n} in the cluster`)
})

t.test('if two machines change the same version, exactly one wins, each time', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t, { nodes: 3 })
  const machines = [
    await startMachine(t, settingsOf((await cluster.cables(t, 0)).endpoints)),
    await startMachine(t, settingsOf((await cluster.cables(t, 2)).endpoints)),
  ]
  for (const machine of machines) await caughtUp(machine, cluster)
  for (let round = 0; round < 15; ) {
    const outcomes = await Promise.all(
      machines.map(({ store }, i) =>
        codeOf(store.set('k', { round, i }, { ifVersion: store.getEntry('k').version, timeoutMs: 60_000 })),
      ),
    )
    const won = outcomes.filter((outcome) => outcome === 'done').length
    t.ok(won < 2, `round ${round}: ${outcomes}`)
    // Without a leader nobody is told; what was sent then may win later.
    round += won
    for (const machine of machines) t.strictSame(await caughtUp(machine, cluster), [])
  }
})

t.test('a watch that breaks again while it is made good loses nothing', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const cables = await cluster.cables(t)
  const machine = await startMachine(t, settingsOf(cables.endpoints))
  await caughtUp(machine, cluster)
  for (let round = 0; round < 5; round++) {
    cables.cutOff()
    for (let i = 0; i < 7; i++) await cluster.put(`${PREFIX}r${round}-${i}`, String(i))
    await cluster.delete(`${PREFIX}r${round}-0`)
    // As soon as something comes after it was opened again.
    await new Promise<void>((resolve) => {
      const cable = cables.cables[0] as support.Cable
      cable.onData = ({ end }) => {
        cable.onData = null
        end()
        resolve()
      }
    })
  }
  t.strictSame(await caughtUp(machine, cluster), [])
  t.equal(machine.store.size, 30)
  t.equal(machine.replication.status.fullReads, 1)
})

t.test(
  'a cluster that is not the one of before is read anew, and what it lacks is gone',
  { skip: NO_ETCD },
  async (t) => {
    const first = await startCluster(t)
    const second = await startCluster(t)
    const cables = await first.cables(t)
    const machine = await startMachine(t, settingsOf(cables.endpoints))
    for (let i = 0; i < 20; i++) await first.put(`${PREFIX}k${i}`, String(i))
    t.strictSame(await caughtUp(machine, first), [])
    await second.put(`${PREFIX}k3`, '"other"')
    cables.retarget(second)
    await until(() => machine.store.get('k3') === 'other')
    t.strictSame(await caughtUp(machine, second), [])
    t.strictSame(machine.store.keys(), ['k3'])
  },
)

t.test(
  'a machine that the cluster does not know is refused, and says so; others are not',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    await cluster.put(`${PREFIX}k`, '1')
    await cluster.allowOnly('reader', 'secret', 'READ', PREFIX)
    const wrong = await startMachine(
      t,
      settingsOf(cluster.endpoints(), { credentials: { user: 'reader', password: 'no' } }),
    )
    await until(() => wrong.store.status.state === 'refused')
    const right = await startMachine(
      t,
      settingsOf(cluster.endpoints(), { credentials: { user: 'reader', password: 'secret' } }),
    )
    await until(() => right.store.get('k') === 1)
    await until(async () => (await codeOf(right.store.set('k', 2))) === 'ERR_READ_ONLY')
    t.equal(wrong.store.has('k'), false)
  },
)
