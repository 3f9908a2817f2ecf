/** Feeds that are told only of what changes from now on: what is there is known at once, and the last change of no key is missed. */
import t from 'tap'
import * as api from '../src/index.ts'
import * as support from '../test-support/index.ts'

support.leakChecked(t)

type Told = [key: string, hasValue: boolean][]

function toldBy(feed: api.AreaFeed): Told {
  const told: Told = []
  for (;;) {
    const polled = feed.poll()
    if (typeof polled === 'number') throw new Error(`the feed answered ${polled}`)
    told.push(...polled.changes.map(({ key, hasValue }): [string, boolean] => [key, hasValue]))
    if (polled.isComplete) return told.sort()
  }
}

/** A feed that begins now. */
function feedFromNow(reader: api.AreaReader, prefix = ''): api.AreaFeed {
  const feed = reader.feed(prefix)
  if (feed.skipPresent() !== 0) throw new Error('it could not be read')
  return feed
}

t.test('values that exist are not changes; later puts, changes and deletes with the prefix are', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  for (const key of ['a/same', 'a/changed', 'a/gone', 'b/changed']) support.put(writer, key, 'x')
  using feed = feedFromNow(reader, 'a/')
  t.same(toldBy(feed), [])
  for (const key of ['a/changed', 'b/changed', 'a/new', 'a']) support.put(writer, key, 'y')
  writer.delete('a/gone')
  t.same(toldBy(feed), [
    ['a/changed', true],
    ['a/gone', false],
    ['a/new', true],
  ])
  t.same(toldBy(feed), [])
  writer.delete('a/same')
  t.same(toldBy(feed), [['a/same', false]])
})

t.test('a deleted key is told of also when its entry has another key by then', async (t) => {
  using pair = support.newPair({ maxKeys: 2 })
  const { writer, reader } = pair
  const long = 'a key that is longer than what an entry has room for'
  support.put(writer, 'short', 'x')
  support.put(writer, long, 'x')
  using feed = feedFromNow(reader)
  for (const key of ['short', long]) writer.delete(key)
  writer.retire(2)
  support.put(writer, 'b', 'x')
  t.same(toldBy(feed), [
    [long, false],
    ['b', true],
    ['short', false],
  ])
})

t.test('a key that was deleted before is not a change, whatever becomes of its entry', async (t) => {
  using pair = support.newPair({ maxKeys: 2 })
  const { writer, reader } = pair
  for (const key of ['a', 'b']) support.put(writer, key, 'x')
  writer.delete('a')
  using feed = feedFromNow(reader)
  t.same(toldBy(feed), [])
  writer.retire(1)
  t.same(toldBy(feed), [])
  support.put(writer, 'c', 'x')
  t.same(toldBy(feed), [['c', true]])
})

t.test('a key that comes back in another entry is told of once', async (t) => {
  using pair = support.newPair({ maxKeys: 4 })
  const { writer, reader } = pair
  for (const key of ['a', 'b', 'c']) support.put(writer, key, 'x')
  using feed = feedFromNow(reader)
  for (const key of ['b', 'a']) writer.delete(key)
  writer.retire(2)
  for (const key of ['a', 'd']) support.put(writer, key, 'y')
  t.same(toldBy(feed), [
    ['a', true],
    ['b', false],
    ['d', true],
  ])
  writer.delete('a')
  t.same(toldBy(feed), [['a', false]])
})

t.test('in an area that takes the values over, what is the same is no change', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  for (const key of ['same', 'changed', 'gone']) support.put(writer, key, 'x')
  using feed = feedFromNow(reader)
  writer.delete('gone')
  using next = api.AreaWriter.create({ capacity: 2 * support.MIB, maxKeys: 100, base: writer.stats.committed })
  t.equal(writer.copyTo(next), 0)
  writer.markMoved()
  support.put(next, 'changed', 'y')
  using fd = next.share()
  using nextReader = api.AreaReader.attach(fd)
  nextReader.takeFeed(feed)
  t.same(toldBy(feed), [
    ['changed', true],
    ['gone', false],
  ])
  next.delete('same')
  t.same(toldBy(feed), [['same', false]])
})

t.test('behind the whole log very many keys are compared in parts, and nothing is missed', async (t) => {
  using pair = support.newPair({ capacity: 8 * support.MIB, maxKeys: 10_000 })
  const { writer, reader } = pair
  for (let i = 0; i < 10_000; i++) support.put(writer, `k${i}`, 'x')
  using feed = feedFromNow(reader)
  for (const key of ['k3', 'k9999']) writer.delete(key)
  writer.retire(2)
  support.put(writer, 'new', 'x')
  for (let i = 0; i < 10_000; i++) support.put(writer, `k${i % 2}`, 'y')
  t.match(feed.poll(), { isComplete: false, hasMore: true })
  t.same(toldBy(feed), [
    ['k0', true],
    ['k1', true],
    ['k3', false],
    ['k9999', false],
    ['new', true],
  ])
  t.same(toldBy(feed), [])
})

for (const seed of [1, 2, 3, 4]) {
  t.test(`the first values and the reported changes together give the current values, seed ${seed}`, async (t) => {
    using pair = support.newPair({ maxKeys: 60, logSize: 512 })
    const { writer, reader } = pair
    let state = seed
    const below = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % limit
    }
    const act = (times: number) => {
      for (let i = 0; i < times; i++) {
        const key = `${below(2) === 0 ? 'k' : 'a key that is longer than an entry '}${below(60)}`
        const which = below(10)
        if (which < 5) writer.put(key, api.areaTypes.BYTES, Buffer.from(String(i)))
        else if (which < 8) writer.delete(key)
        else writer.retire(below(20))
      }
    }
    for (let round = 0; round < 20; round++) {
      act(200)
      const known = new Set(reader.keys() as string[])
      using feed = feedFromNow(reader)
      // Now and then longer than the log.
      for (let polls = 0; polls < 10; polls++) {
        act(below(8) === 0 ? 1500 : below(100))
        for (const [key, hasValue] of toldBy(feed)) {
          if (hasValue) known.add(key)
          else known.delete(key)
        }
        t.same([...known].sort(), (reader.keys() as string[]).sort())
      }
    }
  })
}
