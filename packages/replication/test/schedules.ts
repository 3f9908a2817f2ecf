/** The loop with an engine that fails as it is told: nothing is lost, nothing is kept that is gone, nothing old passes for live. */
import t, { type Test } from 'tap'
import { Replication } from '../src/replication.ts'
import { FakeEngine, leakChecked, settingsOf, startMachine, until, watchdog } from '../test-support/index.ts'

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

t.test('if history was compacted meanwhile, all is read anew, and deleted keys are gone', async (t) => {
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

t.test('a delete up to which all is compacted at the moment when the watch is opened again is made good', async (t) => {
  const { engine, replication, store } = await begin(t, (engine) => {
    engine.put('a', '1')
    engine.put('b', '2')
  })
  engine.isMute = true
  const gone = engine.put('a', null)
  engine.isMute = false
  engine.onWatch = () => {
    engine.onWatch = null
    engine.compacted = gone
  }
  engine.break()
  await until(() => replication.status.fullReads === 2 && replication.status.state === 'live')
  t.strictSame(store.keys(), ['b'])
})

t.test('another history is told by what was put, though it was compacted and has the same revisions', async (t) => {
  const { engine, replication, store } = await begin(t, (engine) => engine.put('b', '0'))
  const revision = engine.put('a', '1')
  await until(() => store.get('a') === 1)
  engine.restore(revision - 1n)
  t.equal(engine.put('a', '2'), revision)
  for (let i = 0; i < 50; i++) engine.put('b', String(i))
  engine.compacted = engine.revision
  await until(() => store.get('b') === 49 && replication.status.state === 'live')
  t.equal(store.get('a'), 2)
})

t.test('a backup of before the last value, with the same pulses, is another history', async (t) => {
  const { engine, replication, store } = await begin(t, (engine) => engine.put('b', '0'))
  engine.hasNoPulse = true
  const backup = engine.revision
  engine.put('a', '1')
  await until(() => store.get('a') === 1)
  engine.restore(backup)
  for (let i = 0; i < 50; i++) engine.put('b', String(i))
  await until(() => store.get('b') === 49 && replication.status.state === 'live')
  t.strictSame(store.keys(), ['b'])
})

t.test('deleted values do not take room from existing ones', async (t) => {
  const many = (letter: string) => Array.from({ length: 900 }, (_, i) => `${letter}${i}`)
  const { engine, replication, store } = await begin(t, (engine) => {
    for (const key of many('b')) engine.put(key, '1')
  })
  engine.cluster = 'two'
  engine.history = []
  for (const key of many('a')) engine.put(key, '2')
  engine.break()
  await until(() => store.get('a7') === 2 && replication.status.state === 'live')
  t.strictSame(store.keys(), many('a').sort())
})

t.test('values that do not fit twice are replaced one after the other', async (t) => {
  const keys = ['a', 'b', 'c', 'd']
  const long = (text: string) => JSON.stringify(text.repeat(700_000))
  const { engine, replication, store } = await begin(t, (engine) => {
    for (const key of keys) engine.put(key, long('1'))
  })
  engine.isMute = true
  for (const key of keys) engine.put(key, long('2'))
  engine.compacted = engine.revision
  engine.isMute = false
  engine.break()
  await until(() => replication.status.fullReads === 2 && replication.status.state === 'live')
  for (const key of keys) t.equal(store.get(key), '2'.repeat(700_000))
})

t.test('while no pulse can be put, a cluster in which nothing happens proves the copy all the same', async (t) => {
  const { engine, replication } = await begin(t)
  engine.hasNoPulse = true
  // A session proves it once, when it begins; what it is proven by afterwards are looks.
  let [session, proofs, provenAt] = [0, 0, 0]
  await until(() => {
    const { sessions, ageMs } = replication.status
    if (sessions !== session) proofs = 0
    session = sessions
    const at = performance.now() - (ageMs ?? Number.POSITIVE_INFINITY)
    if (at > provenAt + 500) {
      proofs += 1
      provenAt = at
    }
    return proofs >= 3
  })
})

t.test('a machine that may put pulses again does so, once the watch is opened again', async (t) => {
  const { engine, replication } = await begin(t)
  engine.isReadOnly = true
  await until(() => engine.denied > 0)
  engine.isReadOnly = false
  const { revision } = engine
  engine.break()
  await until(() => engine.revision > revision && replication.status.state === 'live')
})

t.test(
  'a change of this machine is here when it is committed, before the watch says so, and does not come back',
  async (t) => {
    const engine = new FakeEngine()
    engine.hasNoPulse = true
    const { store, replication } = await startMachine(t, settingsOf([]), { engine })
    await replication.live
    const seen: unknown[] = []
    replication.store.onChange = ({ value }) => seen.push(value)
    engine.isHeld = true
    await store.set('k', 1, { timeoutMs: 60_000 })
    await store.delete('k', { timeoutMs: 60_000 })
    await store.set('other', 2, { timeoutMs: 60_000 })
    engine.release()
    engine.put('last', '3')
    await until(() => store.get('last') === 3)
    t.strictSame(seen, [1, undefined, 2, 3])
    t.equal(await store.revisionOf('other'), replication.revisionOf('other'))
  },
)

t.test('a change of this machine waits for what others have changed before', async (t) => {
  const engine = new FakeEngine()
  engine.hasNoPulse = true
  const { store, replication } = await startMachine(t, settingsOf([]), { engine })
  await replication.live
  engine.isHeld = true
  engine.put('theirs', '1')
  let isAnswered = false
  const answer = store.set('ours', 2, { timeoutMs: 60_000 }).then(() => {
    isAnswered = true
  })
  await until(() => engine.history.some(({ key }) => key.toString() === 'ours'))
  t.equal(isAnswered || store.has('ours'), false)
  engine.release()
  await answer
  t.strictSame([store.get('theirs'), store.get('ours')], [1, 2])
})

/** Changes of keys that begin so wait until it is released. */
function slowKeys(engine: FakeEngine, prefix: string): { readonly waiting: () => number; release(): void } {
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let waiting = 0
  engine.onCommit = (key) => {
    if (!key.startsWith(prefix)) return null
    waiting += 1
    return released
  }
  return { waiting: () => waiting, release: () => release() }
}

t.test(
  'of 300 changes at once 256 are made, and the others refused before anything is asked of the cluster',
  async (t) => {
    const engine = new FakeEngine()
    const { store, replication } = await startMachine(t, settingsOf([]), { engine })
    await replication.live
    const { waiting, release } = slowKeys(engine, 'k')
    const outcomes = new Map<string, string>()
    const changes = Array.from({ length: 300 }, (_, i) =>
      store.set(`k${i}`, i, { timeoutMs: 60_000 }).then(
        () => outcomes.set(`k${i}`, 'done'),
        (error) => outcomes.set(`k${i}`, error.code),
      ),
    )
    await until(() => waiting() === 256 && outcomes.size === 44)
    t.strictSame([...new Set(outcomes.values())], ['ERR_LIMIT'])
    t.equal(replication.status.changes.underWay, 256)
    t.equal(replication.status.changes.refused, 44)
    release()
    await Promise.all(changes)
    const done = [...outcomes].filter(([, outcome]) => outcome === 'done').map(([key]) => key)
    t.equal(done.length, 256)
    t.strictSame(store.keys('k'), done.sort())
    t.equal(replication.status.changes.underWay, 0)
    t.ok(await store.set('k0', 'again', { timeoutMs: 60_000 }))
  },
)

t.test('behind slow changes nothing of another key waits', async (t) => {
  const engine = new FakeEngine()
  const { store, replication } = await startMachine(t, settingsOf([]), { engine })
  await replication.live
  const { waiting, release } = slowKeys(engine, 'slow')
  const slow = Array.from({ length: 200 }, (_, i) => store.set(`slow${i}`, i, { timeoutMs: 60_000 }))
  const second = store.set('slow0', 'second', { timeoutMs: 60_000 })
  await until(() => waiting() === 200)
  t.ok(await store.set('quick', 1, { timeoutMs: 60_000 }))
  t.equal(await store.increment('quick', 1, { timeoutMs: 60_000 }), 2)
  t.ok(await store.delete('quick', { timeoutMs: 60_000 }))
  t.equal(waiting(), 200, 'and the second of the same key has not begun')
  release()
  await Promise.all([...slow, second])
  t.equal(store.get('slow0'), 'second')
})
