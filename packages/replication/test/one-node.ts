/** A store that is a copy of a prefix in a real etcd: what others put comes, what is changed here goes there. */
import t from 'tap'
import * as support from '../test-support/index.ts'

const { base64, caughtUp, differences, NO_ETCD, PREFIX, settingsOf, startCluster, startMachine, until } = support
support.patient(t)

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error) => error.code,
  )

t.test(
  'values of the cluster are read here, and follow when they come, change and go',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    await cluster.put(`${PREFIX}a`, '{"x":1}')
    await cluster.put(`${PREFIX}text`, 'no json')
    await cluster.put('other/b', '1')
    const machine = await startMachine(t, settingsOf(cluster.endpoints()))
    const { store } = machine
    t.strictSame(await caughtUp(machine, cluster), [])
    t.strictSame(store.get('a'), { x: 1 })
    t.same(store.get('text'), Buffer.from('no json'))
    t.strictSame(store.keys(), ['a', 'text'])
    await cluster.put(`${PREFIX}n`, '7')
    await cluster.put(`${PREFIX}a`, '2')
    await cluster.delete(`${PREFIX}text`)
    await until(() => !store.has('text'))
    t.strictSame([store.get('n'), store.get('a')], [7, 2])
    t.strictSame(await differences(machine, cluster), [])
    t.ok(machine.states.includes('live'))
    t.ok(store.status.ageMs < 5000)
  },
)

t.test(
  'a change is answered when it is in the cluster and here, and with the version that it has here',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    const [here, there] = [
      await startMachine(t, settingsOf(cluster.endpoints(), { machine: 'here' })),
      await startMachine(t, settingsOf(cluster.endpoints(), { machine: 'there' })),
    ]
    await caughtUp(here, cluster)
    const version = await here.store.set('a', [1], { ifVersion: 0n })
    t.strictSame(here.store.getEntry('a'), { key: 'a', value: [1], version, byteLength: 3, type: 'json' })
    t.same((await cluster.contents(PREFIX)).get('a')?.value, Buffer.from('[1]'))
    await until(() => there.store.has('a'))
    await there.store.set('a', [2], { ifVersion: there.store.getEntry('a').version })
    const lost = await here.store.set('a', [3], { ifVersion: version }).catch((error) => error)
    const { revision } = (await cluster.contents(PREFIX)).get('a') ?? {}
    t.match(lost, { code: 'ERR_CONFLICT', value: [2], version: here.store.getEntry('a').version, revision })
    t.strictSame(here.store.get('a'), [2])
    t.equal(await codeOf(here.store.set('a', 1, { ifVersion: 0n })), 'ERR_CONFLICT')
    await here.store.update([{ key: 'a' }, { key: 'b', value: Buffer.from([1, 2]) }, { key: 'c', value: 'x' }])
    t.same([here.store.get('a'), here.store.get('b'), here.store.get('c')], [undefined, Buffer.from([1, 2]), 'x'])
    t.equal(await here.store.delete('b'), true)
    t.equal(await here.store.delete('b'), false)
    t.equal(await codeOf(here.store.set('a', 1, { ttlMs: 100 })), 'ERR_UNSUPPORTED_OPERATION')
    t.equal(await codeOf(here.store.set('.pulse', 1)), 'ERR_INVALID_ARG_VALUE')
    for (const machine of [here, there]) t.strictSame(await caughtUp(machine, cluster), [])
  },
)

t.test('increments of several machines add up', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const machines = [
    await startMachine(t, settingsOf(cluster.endpoints())),
    await startMachine(t, settingsOf(cluster.endpoints())),
  ]
  for (const machine of machines) await caughtUp(machine, cluster)
  const sums = await Promise.all(
    machines.map(async ({ store }) => {
      for (let i = 0; i < 20; i++) await store.increment('n')
    }),
  )
  t.equal(sums.length, 2)
  for (const machine of machines) t.strictSame(await caughtUp(machine, cluster), [])
  t.equal(machines[0]?.store.get('n'), 40)
  await machines[0]?.store.set('text', 'x')
  t.equal(await codeOf(machines[0]?.store.increment('text') as Promise<number>), 'ERR_INVALID_ARG_VALUE')
})

t.test('changes of a key arrive in the order in which they were asked for', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const machine = await startMachine(t, settingsOf(cluster.endpoints()))
  await caughtUp(machine, cluster)
  const answers = Array.from({ length: 30 }, (_, i) => machine.store.set('k', i))
  const versions = await Promise.all(answers)
  t.equal(machine.store.get('k'), 29)
  t.strictSame([...versions].sort(), versions)
})

t.test('a value of a MiB goes and comes, and a longer one is refused before it goes', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const machine = await startMachine(t, settingsOf(cluster.endpoints()))
  await caughtUp(machine, cluster)
  const long = Buffer.alloc(1024 * 1024, 7)
  await support.done(() => machine.store.set('long', long))
  t.ok(Buffer.from(machine.store.getBytes('long') ?? []).equals(long))
  t.strictSame(await caughtUp(machine, cluster), [])
  t.equal(await codeOf(machine.store.set('long', Buffer.alloc(1024 * 1024 + 1))), 'ERR_LIMIT')
})

t.test('thousands of keys are read in pages, and what was deleted meanwhile is gone', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  for (let from = 0; from < 2200; from += 100) {
    const puts = Array.from({ length: 100 }, (_, i) => ({
      request_put: { key: base64(`${PREFIX}k${from + i}`), value: base64(String(from + i)) },
    }))
    await cluster.ask('/v3/kv/txn', { success: puts })
  }
  const machine = await startMachine(t, settingsOf(cluster.endpoints()))
  t.strictSame(await caughtUp(machine, cluster), [])
  t.equal(machine.store.size, 2200)
})

t.test(
  'a machine that only reads refuses changes, and is live by the pulse of another',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    await startMachine(t, settingsOf(cluster.endpoints()))
    const machine = await startMachine(t, settingsOf(cluster.endpoints(), { mode: 'read' }))
    await cluster.put(`${PREFIX}a`, '1')
    t.strictSame(await caughtUp(machine, cluster), [])
    t.equal(await codeOf(machine.store.set('a', 2)), 'ERR_READ_ONLY')
    t.equal(await codeOf(machine.store.increment('a')), 'ERR_READ_ONLY')
  },
)
