/**
 * Feeds that compare everything, a part in each poll: after their log was overrun, or in an area that took the keys over. Whatever
 * changes in between, the poll that says it is complete leaves nothing out.
 */
import t from 'tap'
import type * as api from '../src/index.ts'
import * as support from '../test-support/index.ts'

support.leakChecked(t)

/** What a watcher takes the values of a prefix for. */
class Watcher {
  readonly known = new Map<string, bigint>()
  readonly twice: string[] = []
  parts = 0
  readonly #feed: api.AreaFeed

  constructor(feed: api.AreaFeed) {
    this.#feed = feed
  }

  poll(): api.AreaChanges {
    const polled = this.#feed.poll()
    if (typeof polled === 'number') throw new Error(`the feed answered ${polled}`)
    this.parts += 1
    for (const { key, version, hasValue } of polled.changes) {
      if (this.known.get(key) === version) this.twice.push(key)
      if (hasValue) this.known.set(key, version)
      else this.known.delete(key)
    }
    return polled
  }

  /** Once: nobody polls a second time without a notice. */
  pollAll(between: () => void = () => undefined): void {
    while (!this.poll().isComplete) between()
  }
}

function missed({ known }: Watcher, reader: api.AreaReader, prefix: string): string[] {
  const truth = new Map<string, bigint>()
  for (const name of reader.keys(prefix) as string[]) {
    const key = reader.key(name)
    key.read(null)
    truth.set(name, key.version)
  }
  return [...new Set([...truth.keys(), ...known.keys()])].filter((key) => truth.get(key) !== known.get(key))
}

/** Whole numbers below a limit, the same for the same seed. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

const roomy = () => support.newPair({ capacity: 16 * support.MIB, maxKeys: 20_000, logSize: 512 })

for (const before of [0, 900, 3000, 5000]) {
  for (const added of [1, 90, 500, 1023, 1024, 3000]) {
    t.test(`${added} keys more than the ${before} that were known, after an overrun`, async (t) => {
      using pair = roomy()
      const { writer, reader } = pair
      for (let i = 0; i < before; i++) support.put(writer, `w/${i}`, 'x')
      using feed = reader.feed('w/')
      const watcher = new Watcher(feed)
      watcher.pollAll()
      for (let i = 0; i < before + added; i++) support.put(writer, `w/${i}`, 'y')
      watcher.pollAll()
      t.same(missed(watcher, reader, 'w/'), [])
      t.same(watcher.twice, [])
    })
  }
}

t.test('what changes between two parts is there when the last part says that it is complete', async (t) => {
  using pair = roomy()
  const { writer, reader } = pair
  for (let i = 0; i < 5000; i++) support.put(writer, `w/${i}`, 'x')
  using feed = reader.feed('w/')
  const watcher = new Watcher(feed)
  const change = () => {
    for (let i = 0; i < 20 && watcher.parts < 12; i++) support.put(writer, `w/${(watcher.parts * 20 + i) * 23}`, 'y')
    writer.delete(`w/${watcher.parts}`)
  }
  watcher.pollAll(change)
  t.ok(watcher.parts > 5, `${watcher.parts} parts`)
  t.same(missed(watcher, reader, 'w/'), [])
})

t.test('the same in random orders', async (t) => {
  for (let round = 0; round < 12; round++) {
    const random = randomOf(round + 1)
    using pair = roomy()
    const { writer, reader } = pair
    using feed = reader.feed('w/')
    const watcher = new Watcher(feed)
    const edit = (count: number) => {
      for (let i = 0; i < count; i++) {
        const key = `${random(4) === 0 ? 'x' : 'w'}/${random(6000)}`
        if (random(5) === 0) writer.delete(key)
        else support.put(writer, key, 'x')
      }
    }
    for (let i = 0; i < 6; i++) {
      edit(random(6000))
      watcher.pollAll(() => edit(random(3) === 0 ? random(200) : 0))
      t.same(missed(watcher, reader, 'w/'), [], `round ${round}`)
    }
  }
})

t.test('of keys that are divided anew only those are told that have changed', async (t) => {
  using left = roomy()
  using right = roomy()
  for (let i = 0; i < 3000; i++) support.put(i % 2 === 0 ? left.writer : right.writer, `w/${i}`, 'x')
  using known = left.reader.feed('w/')
  using skipped = right.reader.feed('w/')
  new Watcher(known).pollAll()
  t.equal(skipped.skipPresent(), 0)
  using next = support.newPair({ capacity: 16 * support.MIB, maxKeys: 10_000, base: 10_000n })
  const values = [left, right].map(({ reader }) => reader.snapshot({ prefix: '' }) as api.AreaSnapshot)
  for (const { values: some } of values) for (const [key, value] of some) next.writer.load(key, value)
  for (const key of ['w/0', 'w/1', 'w/new']) support.put(next.writer, key, 'y')
  for (const key of ['w/2', 'w/3']) next.writer.delete(key)
  using feed = next.reader.feed('w/')
  for (const other of [known, skipped, feed]) feed.takeKnown(other)
  const told: string[] = []
  for (let isComplete = false; !isComplete; ) {
    const polled = feed.poll() as api.AreaChanges
    told.push(...polled.changes.map(({ key, hasValue }) => `${key} ${hasValue}`))
    isComplete = polled.isComplete
  }
  t.same(told.sort(), ['w/0 true', 'w/1 true', 'w/2 false', 'w/3 false', 'w/new true'])
  support.put(next.writer, 'w/4', 'z')
  t.match(feed.poll(), { changes: [{ key: 'w/4', hasValue: true }], isComplete: true })
  t.throws(() => feed.takeKnown({} as api.AreaFeed), { code: 'ERR_INVALID_ARG_TYPE' })
  known.close()
  t.throws(() => feed.takeKnown(known), { code: 'EBADF' })
})

t.test('a feed that is to know far more keys than an area can have forgets them', async (t) => {
  const maxKeys = 64
  const pairs = Array.from({ length: 100 }, () => support.newPair({ maxKeys }))
  t.teardown(() => {
    for (const pair of pairs) pair[Symbol.dispose]()
  })
  const feeds = pairs.map(({ writer, reader }, number) => {
    for (let i = 0; i < maxKeys; i++) support.put(writer, `${number}/${i}`, 'x')
    const feed = reader.feed()
    t.match(feed.poll(), { isComplete: true })
    return feed
  })
  using pair = support.newPair({ maxKeys })
  support.put(pair.writer, 'k', 'x')
  using feed = pair.reader.feed()
  for (const other of feeds) feed.takeKnown(other)
  const told: api.AreaChange[] = []
  for (let isComplete = false; !isComplete; ) {
    const polled = feed.poll() as api.AreaChanges
    told.push(...polled.changes)
    isComplete = polled.isComplete
  }
  t.same(
    told.filter(({ hasValue }) => hasValue).map(({ key }) => key),
    ['k'],
  )
  const gone = told.length - 1
  t.ok(gone > 0 && gone <= 64 * maxKeys, `${gone} of ${100 * maxKeys}`)
  for (const other of feeds) other.close()
})
