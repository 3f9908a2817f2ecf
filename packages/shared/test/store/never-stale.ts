/**
 * While its owner lives a reader is never stale, also when the values move to other areas, and also when the reader does not come to its
 * event loop meanwhile: all of these loops run without a turn of it.
 */
import t from 'tap'
import type { SharedStore } from '../../src/store/shared-store.ts'
import { leakChecked, startOwner, tell, twoProcesses, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

/** Fewer than the tries of a read (8): a read that meets a move in each of them gives up with ERR_LIMIT. */
const MOVES = 7
/** Hangs are failures: longer than anything takes here. */
const HANG_MS = 60_000

/** Reads without a turn of the event loop until `isDone`. @returns whether it came to that */
function spin(isDone: () => boolean): boolean {
  for (const end = performance.now() + HANG_MS; performance.now() < end; ) if (isDone()) return true
  return false
}

/** Each way to read a number of a key. */
const WAYS: Record<string, (store: SharedStore) => () => unknown> = {
  get: (store) => () => store.get('k'),
  'entry.value': (store) => {
    const entry = store.entry('k')
    return () => entry.value
  },
  getBytes: (store) => () => Number(Buffer.from(store.getBytes('k') ?? Buffer.alloc(0)).toString()),
  readBytes: (store) => {
    const target = Buffer.alloc(16)
    return () => Number(target.toString('utf8', 0, Math.max(store.readBytes('k', target), 0)))
  },
  getEntry: (store) => () => store.getEntry('k').value,
  entries: (store) => () => store.entries('k')[0]?.[1],
  snapshot: (store) => () => store.snapshot(['k']).get('k'),
  'snapshot of a prefix': (store) => () => store.snapshot({ prefix: 'k' }).get('k'),
}

for (const [name, way] of Object.entries(WAYS)) {
  t.test(`${name} follows the values from area to area, without a turn of the event loop`, async (t) => {
    const { owner, store } = await twoProcesses(t)
    await store.set('k', 0)
    const read = way(store)
    read()
    owner.say(`move k ${MOVES}`)
    let last = 0
    const isThere = spin(() => {
      const now = read() as number
      if (now < last) t.fail(`went back from ${last} to ${now}`)
      last = now
      return now === MOVES
    })
    t.ok(isThere, `came to ${last}`)
    t.equal(await store.increment('k'), MOVES + 1, 'calls go on too')
  })
}

t.test('a key that was absent, size, keys and versions are seen after a move', async (t) => {
  const { owner, store } = await twoProcesses(t)
  t.same([store.get('k'), store.has('k'), store.size, store.keys()], [undefined, false, 0, []])
  const { version } = store.status
  owner.say('move k 1')
  t.ok(spin(() => store.size === 1))
  t.same([store.get('k'), store.has('k'), store.keys()], [1, true, ['k']])
  t.ok(store.status.version > version)
})

t.test('values that move because their places have the wrong size are followed as well', async (t) => {
  const { owner, store } = await twoProcesses(t)
  store.get('k')
  for (let round = 1; round <= 3; round++) {
    owner.say(`compact k ${round}`)
    t.ok(spin(() => store.get('k') === round))
    await tell(owner, 'set done 1')
  }
})

t.test('a reader with many calls under way follows, and all calls are answered in order', async (t) => {
  const { owner, store } = await twoProcesses(t)
  const answers: number[] = []
  const calls = Array.from({ length: 200 }, async () => {
    answers.push(await store.increment('n'))
  })
  owner.say(`move k ${MOVES}`)
  t.ok(spin(() => store.get('k') === MOVES))
  await Promise.all(calls)
  t.same(
    answers,
    Array.from({ length: 200 }, (_, i) => i + 1),
  )
})

t.test('a loop over changes that is told of a move while it reads misses nothing', async (t) => {
  const { owner, store } = await twoProcesses(t)
  const seen: unknown[] = []
  const loops = [1, 2].map(async () => {
    for await (const { value } of store.changes('k')) {
      seen.push(value)
      if (value === MOVES) return
      if ((store.get('k') as number) < (value as number)) t.fail('get is behind what was told')
    }
  })
  await store.set('k', 0)
  owner.say(`move k ${MOVES}`)
  await Promise.all(loops)
  t.equal(seen.at(-1), MOVES)
})

t.test('status says that the owner is gone, without a turn of the event loop', async (t) => {
  const { registry, owner, store } = await twoProcesses(t)
  await store.set('k', 1)
  t.match(store.status, { state: 'live', connected: true, ageMs: 0 })
  const ended = owner.destroy()
  t.ok(spin(() => !store.status.connected))
  t.match(store.status, { state: 'stale', connected: false })
  t.equal(store.get('k'), 1)
  await ended
  await startOwner(t, registry)
  await store.set('k', 2)
  t.match(store.status, { state: 'live', connected: true, ageMs: 0 })
})
