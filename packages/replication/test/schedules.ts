/** The loop with an engine that fails as it is told: nothing is lost, nothing is kept that is gone, nothing old passes for live. */
import t, { type Test } from 'tap'
import { Replication } from '../src/replication.ts'
import { FakeEngine, leakChecked, settingsOf, until, watchdog } from '../test-support/index.ts'

leakChecked(t)
watchdog(t)

async function begin(t: Test, prepare: (engine: FakeEngine) => void = () => undefined) {
  const engine = new FakeEngine()
  prepare(engine)
  const states: string[] = []
  const replication = new Replication({
    settings: settingsOf([], { capacity: 4 * 1024 * 1024, maxKeys: 1024 }),
    mayWrite: () => true,
    onState: (state) => states.push(state),
    engine,
  })
  t.teardown(() => replication.close())
  replication.start()
  await replication.live
  return { engine, replication, store: replication.store, states }
}

t.test('a watch that breaks twice before it has made good what was missed loses nothing', async (t) => {
  const { engine, store, replication } = await begin(t)
  let breaks = 0
  engine.onWatch = () => {
    if (breaks++ < 3) engine.break()
  }
  engine.break()
  for (let i = 1; i <= 7; i++) engine.put(`k${i}`, String(i))
  await until(() => store.get('k7') === 7)
  t.strictSame(store.keys(), ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7'])
  t.equal(replication.status.fullReads, 1)
})

t.test('what was compacted while it was away is read anew, and what was deleted is gone', async (t) => {
  const { engine, store, replication, states } = await begin(t, (engine) => {
    engine.put('a', '1')
    engine.put('b', '2')
  })
  engine.isMute = true
  engine.put('a', null)
  engine.put('c', '3')
  engine.compacted = engine.revision
  engine.isMute = false
  engine.break()
  await until(() => store.get('c') === 3)
  await until(() => replication.status.state === 'live')
  t.strictSame(store.keys(), ['b', 'c'])
  t.ok(states.includes('syncing'))
})

t.test('a backup that was restored and has passed the revision that is known is another history', async (t) => {
  const { engine, store, replication } = await begin(t, (engine) => engine.put('a', '1'))
  const backup = engine.revision - 1n
  for (let i = 0; i < 10; i++) engine.put('b', String(i))
  await until(() => store.get('b') === 9)
  engine.restore(backup)
  for (let i = 0; i < 100; i++) engine.put('c', String(i))
  await until(() => store.get('c') === 99)
  await until(() => replication.status.state === 'live')
  t.strictSame(store.keys(), ['a', 'c'])
  t.ok(replication.status.fullReads > 1)
})

t.test('another cluster is another history, whatever its revision is', async (t) => {
  const { engine, store } = await begin(t, (engine) => engine.put('a', '1'))
  engine.cluster = 'two'
  engine.history = []
  engine.put('z', '26')
  engine.break()
  await until(() => store.get('z') === 26)
  t.equal(store.get('a'), undefined)
})

t.test('a watch by which nothing comes is not live for long, whatever else answers', async (t) => {
  const { engine, replication } = await begin(t)
  engine.isMute = true
  await until(() => replication.status.state === 'stale')
  t.ok((replication.status.ageMs ?? 0) >= 4000)
  engine.isMute = false
  engine.break()
  await until(() => replication.status.state === 'live')
})

t.test('a copy that is too small for what there is says so, and goes on when it fits', async (t) => {
  const { engine, replication, store } = await begin(t)
  engine.put('long', 'x'.repeat(8 * 1024 * 1024))
  await until(() => replication.status.state === 'refused')
  engine.put('long', '1')
  engine.history = engine.history.filter(({ value }) => (value?.length ?? 0) < 1024)
  await until(() => replication.status.state === 'live')
  t.equal(store.get('long'), 1)
})
