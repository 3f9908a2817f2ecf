/** One owner and its readers in one process: what is written is read, as docs/protocol.md section 9 says. */
import t from 'tap'
import * as api from '../src/index.ts'
import * as support from '../test-support/index.ts'

support.leakChecked(t)
const { ABSENT, BAD_KEY, CONFLICT } = api.areaCodes
const { FULL, TOO_MANY_KEYS, TOO_LARGE, ENDED, INVALID, OUTSIDE, TOO_LATE } = api.areaWriteCodes
const LONG_KEY = 'k'.repeat(512)

t.test('a value is read as it was put, with its type and version', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  t.equal(writer.put('bytes', api.areaTypes.BYTES, Buffer.from('\0\x01')), 1n)
  t.equal(writer.put('json', api.areaTypes.JSON, Buffer.from('{}')), 2n)
  const [bytes, json] = [reader.key('bytes'), reader.key('json')]
  const target = Buffer.alloc(8, 0xff)
  t.equal(bytes.read(target), 2)
  t.same([...target.subarray(0, 3)], [0, 1, 0xff])
  t.match(bytes, { byteLength: 2, type: api.areaTypes.BYTES, version: 1n, state: api.areaStates.LIVE })
  t.equal(json.read(null), 0)
  t.match(json, { byteLength: 2, type: api.areaTypes.JSON, version: 2n })
})

t.test('keys and values of every length around the bounds of the format', async (t) => {
  using pair = support.newPair({ capacity: 8 * support.MIB })
  const { writer, reader } = pair
  for (const keyLength of [1, 7, 8, 9, 23, 24, 25, 32, 255, 511, 512]) {
    const key = 'é'.repeat(keyLength >> 1) + (keyLength % 2 === 1 ? 'x' : '')
    for (const length of [0, 1, 31, 32, 33, 4064, 4096, 65_536, 100_000]) {
      const value = Buffer.alloc(length, keyLength)
      support.versionOf(writer.put(key, api.areaTypes.BYTES, value))
      const target = Buffer.alloc(length)
      t.equal(reader.key(key).read(target), length)
      t.ok(target.equals(value), `${keyLength} and ${length} bytes`)
    }
  }
})

t.test('all keys are listed, whatever their length, and so are their values', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  const keys = [1, 7, 8, 23, 24, 25, 26, 31, 32, 33, 511, 512].map((length) => `k${'x'.repeat(length - 1)}`)
  for (const key of keys) support.put(writer, key, key)
  t.same(new Set(reader.keys() as string[]), new Set(keys))
  t.same(new Set(reader.keys('k') as string[]), new Set(keys))
  const snapshot = reader.snapshot({ prefix: 'k' })
  t.same(typeof snapshot === 'object' && new Set(snapshot.values.keys()), new Set(keys))
  using feed = reader.feed('k')
  const polled = feed.poll()
  t.same(typeof polled === 'object' && new Set(polled.changes.map(({ key }) => key)), new Set(keys))
})

t.test(
  'a large value that changes again and again in a roomy area takes blocks of its own, and none are joined',
  async (t) => {
    using pair = support.newPair({ capacity: 64 * support.MIB })
    const { writer } = pair
    const value = Buffer.alloc(64 * 1024)
    for (let i = 0; i < 100; i++) support.versionOf(writer.put('k', api.areaTypes.BYTES, value))
    t.equal(writer.stats.joins, 0)
    t.ok(writer.stats.usedBytes + writer.stats.freeBytes < support.MIB)
  },
)

t.test('knowledge of a key ends with close(), also of an absent key of an empty area', async (t) => {
  using pair = support.newPair()
  const reader = support.attachTo(pair.writer)
  const absent = reader.key('a')
  absent.read(null)
  t.equal(absent.isUnchanged(), true)
  support.put(pair.writer, 'k', 'v')
  t.equal(absent.isUnchanged(), false)
  const keys = ['a', 'k'].map((name) => reader.key(name))
  for (const key of keys) key.read(null)
  t.same(
    keys.map((key) => key.isUnchanged()),
    [true, true],
  )
  using empty = support.newPair()
  const other = support.attachTo(empty.writer)
  const nothing = other.key('a')
  nothing.read(null)
  t.equal(nothing.isUnchanged(), true)
  other.close()
  reader.close()
  t.same(
    [...keys, absent, nothing].map((key) => key.isUnchanged()),
    [false, false, false, false],
  )
})

t.test('a key that is empty, too long or no string is refused by both halves', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  for (const key of ['', 'k'.repeat(513), `${'k'.repeat(511)}é`]) {
    t.equal(writer.put(key, api.areaTypes.BYTES, Buffer.alloc(1)), INVALID)
    t.equal(writer.delete(key), INVALID)
    t.equal(reader.key(key).read(null), BAD_KEY)
  }
  t.equal(
    support.codeOf(() => writer.put(7 as never, api.areaTypes.BYTES, Buffer.alloc(1))),
    'ERR_INVALID_ARG_TYPE',
  )
  t.equal(
    support.codeOf(() => reader.key(7 as never).read(null)),
    'ERR_INVALID_ARG_TYPE',
  )
  t.equal(
    support.codeOf(() => writer.put('k', 3, Buffer.alloc(1))),
    'ERR_OUT_OF_RANGE',
  )
})

t.test('a part of a value is read from a position on, as much as there is room for', async (t) => {
  using pair = support.newPair()
  support.put(pair.writer, 'k', '0123456789')
  const key = pair.reader.key('k')
  const target = Buffer.alloc(4)
  t.equal(key.read(target, 3), 4)
  t.equal(target.toString(), '3456')
  t.equal(key.read(target, 8), 2)
  t.equal(key.read(target, 10), 0)
  t.equal(key.read(target, 2 ** 53), 0)
  t.equal(key.byteLength, 10)
  for (const position of [-1, Number.NaN]) {
    t.equal(
      support.codeOf(() => key.read(target, position)),
      'ERR_OUT_OF_RANGE',
    )
  }
})

t.test('parts of one version: another one is a conflict', async (t) => {
  using pair = support.newPair()
  const version = support.put(pair.writer, 'k', 'first')
  const key = pair.reader.key('k')
  t.equal(key.read(Buffer.alloc(3), 0, version), 3)
  support.put(pair.writer, 'k', 'second')
  t.equal(key.read(Buffer.alloc(3), 3, version), CONFLICT)
  t.equal(key.version, 2n)
})

t.test('a value that was read is unchanged until it is put, deleted, retired or moved', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  const key = reader.key('k')
  const changes: [string, () => unknown][] = [
    ['put', () => support.put(writer, 'k', 'a')],
    ['put again', () => support.put(writer, 'k', 'a')],
    ['deleted', () => writer.delete('k')],
    ['retired', () => writer.retire(1)],
    ['put after that', () => support.put(writer, 'k', 'b')],
    ['moved', () => writer.markMoved()],
  ]
  t.equal(key.isUnchanged(), false)
  for (const [what, change] of changes) {
    key.read(null)
    t.equal(key.isUnchanged(), true, `before it was ${what}`)
    change()
    t.equal(key.isUnchanged(), false, `after it was ${what}`)
  }
  key.read(null)
  t.equal(key.isUnchanged(), false)
  t.equal(key.state, api.areaStates.MOVED)
})

t.test('another key that changes leaves a key unchanged', async (t) => {
  using pair = support.newPair()
  support.put(pair.writer, 'k', 'a')
  const key = pair.reader.key('k')
  key.read(null)
  for (let i = 0; i < 500; i++) support.put(pair.writer, `other ${i}`, 'b')
  t.equal(key.isUnchanged(), true)
})

t.test('a transaction has one version, and its last edit of a key counts', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  const blockOf = (text: string) => {
    const block = writer.reserve(text.length, api.areaTypes.BYTES)
    t.equal(writer.write(block, 0, Buffer.from(text)), 0)
    return block
  }
  support.put(writer, 'b', 'before')
  const edits = [
    { key: 'a', block: blockOf('first') },
    { key: 'b' },
    { key: 'a', block: blockOf('last') },
    { key: 'absent' },
    { key: 'c', block: blockOf('c') },
  ]
  t.equal(writer.commit(edits), 4n)
  const snapshot = reader.snapshot({ prefix: '' })
  t.same(
    typeof snapshot === 'object' &&
      [...snapshot.values].map(([key, { version, bytes }]) => [key, version, Buffer.from(bytes).toString()]).sort(),
    [
      ['a', 4n, 'last'],
      ['c', 4n, 'c'],
    ],
  )
  t.equal(writer.commit([{ key: 'b' }]), 0n)
  t.equal(writer.commit([]), 0n)
  t.equal(writer.commit(Array.from({ length: 257 }, () => ({ key: 'a' }))), TOO_LARGE)
})

t.test(
  'what a transaction has thrown away is thrown away once: its place may be another value`s by then',
  async (t) => {
    using pair = support.newPair()
    const { writer, reader } = pair
    const reserve = () => writer.reserve(100, api.areaTypes.BYTES)
    const [thrownAway, block] = [reserve(), reserve()]
    t.equal(writer.write(block, 0, Buffer.alloc(100, 'a')), 0)
    support.versionOf(
      writer.commit([
        { key: 'k', block: thrownAway },
        { key: 'k', block },
      ]),
    )
    const others: number[] = []
    let next = reserve()
    for (; next > 0 && next !== thrownAway; next = reserve()) others.push(next)
    t.equal(next, thrownAway, 'its place is taken again')
    for (const other of others) writer.abandon(other)
    t.equal(writer.write(next, 0, Buffer.alloc(100, 'b')), 0)
    support.put(writer, 'other', 'value')
    support.versionOf(writer.commit([{ key: 'k' }]))
    t.equal(writer.write(next, 0, Buffer.from('still ours')), 0)
    support.versionOf(writer.commit([{ key: 'next', block: next }]))
    t.equal(String(support.textOf(reader, 'next')).length, 100)
  },
)

t.test('a value in parts is nobody`s until it is committed', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  const block = writer.reserve(10, api.areaTypes.BYTES)
  t.equal(writer.write(block, 5, Buffer.from('WORLD')), 0)
  t.equal(writer.write(block, 0, Buffer.from('hello')), 0)
  t.equal(writer.write(block, 8, Buffer.from('toolong')), OUTSIDE)
  t.equal(writer.write(block, 11, Buffer.alloc(0)), OUTSIDE)
  t.equal(support.textOf(reader, 'k'), ABSENT)
  t.equal(writer.commit([{ key: 'k', block }]), 1n)
  t.equal(support.textOf(reader, 'k'), 'helloWORLD')
  t.equal(writer.write(block, 0, Buffer.from('x')), INVALID)
  t.equal(writer.commit([{ key: 'k', block }]), INVALID)
  const given = writer.reserve(10, api.areaTypes.BYTES)
  t.equal(
    writer.commit([
      { key: 'a', block: given },
      { key: 'b', block: given },
    ]),
    INVALID,
  )
  writer.abandon(given)
  writer.abandon(given)
  writer.abandon(block)
  t.equal(support.textOf(reader, 'k'), 'helloWORLD')
})

t.test('to delete is possible where nothing else is, also after too much was deleted at once', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
  for (const key of keys) support.put(writer, key, 'v')
  while (writer.reserve(10_000, api.areaTypes.BYTES) > 0);
  while (writer.reserve(0, api.areaTypes.BYTES) > 0);
  const remove = (some: readonly string[]) => writer.commit(some.map((key) => ({ key })))
  t.equal(remove(keys), FULL, 'so many deletions take room')
  t.equal(remove(keys), FULL)
  t.equal(support.textOf(reader, 'k199'), 'v')
  for (let i = 0; i < keys.length; i += 20) support.versionOf(remove(keys.slice(i, i + 20)))
  t.same(reader.keys(), [])
})

t.test('damage is told as damage, and not tried again as if it passed', async (t) => {
  using area = support.forgedArea({ capacity: support.MIB, maxKeys: 8 })
  using reader = area.attach()
  const ref = Buffer.alloc(8)
  area.mapping.read(4096 + 512 * 8, ref, 0, 8)
  area.write(Number(ref.readBigUInt64LE()) + 24, 0x1_ffff_ffffn)
  t.equal(reader.key('k').read(Buffer.alloc(100)), api.areaCodes.DAMAGED)
  t.equal(reader.snapshot(['k']), api.areaCodes.DAMAGED)
  t.equal(reader.snapshot({ prefix: '' }), api.areaCodes.DAMAGED)
})

t.test('the index is made anew when it is too full, and not for each new key', async (t) => {
  using pair = support.newPair()
  const words = new Set<bigint>()
  for (let i = 0; i < 1000; i++) {
    support.put(pair.writer, `k${i}`, 'v')
    if (i % 10 === 0) words.add(support.rawBytes(pair.writer, 152).readBigUInt64LE(144))
  }
  t.ok(words.size > 1 && words.size < 15, `${words.size} times`)
  t.ok(Array.from({ length: 1000 }, (_, i) => support.textOf(pair.reader, `k${i}`)).every((text) => text === 'v'))
})

t.test('keys that are made free take nothing from those beside them', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  const keys = Array.from({ length: 700 }, (_, i) => `k${i}`)
  for (let round = 0; round < 3; round++) {
    for (const key of keys) support.put(writer, key, `${key} ${round}`)
    const gone = keys.filter((_, i) => i % 3 === round)
    for (const key of gone) support.versionOf(writer.delete(key))
    t.equal(writer.retire(keys.length), gone.length)
    const left = keys.filter((key) => !gone.includes(key))
    t.same(new Set(reader.keys() as string[]), new Set(left))
    t.ok(left.every((key) => support.textOf(reader, key) === `${key} ${round}`))
    t.ok(gone.every((key) => support.textOf(reader, key) === ABSENT))
  }
})

t.test('a transaction that finds no room changes nothing, and can be tried again', async (t) => {
  using pair = support.newPair({ maxKeys: 2 })
  const { writer, reader } = pair
  support.put(writer, 'a', 'a')
  const blocks = ['b', 'c'].map(() => writer.reserve(1, api.areaTypes.BYTES))
  const edits = blocks.map((block, i) => ({ key: `${LONG_KEY.slice(1)}${i}`, block }))
  const before = writer.stats
  t.equal(writer.commit(edits), TOO_MANY_KEYS)
  t.match(writer.stats, { keys: 1, usedBytes: before.usedBytes, committed: 1n })
  t.same(reader.keys(), ['a'])
  t.equal(writer.commit(edits.slice(0, 1)), 2n)
  writer.abandon(blocks[1] as number)
  t.equal(writer.put('d', api.areaTypes.BYTES, Buffer.alloc(1)), TOO_MANY_KEYS)
  t.equal(writer.delete('a'), 3n)
  t.equal(writer.put('d', api.areaTypes.BYTES, Buffer.alloc(1)), TOO_MANY_KEYS)
  t.equal(writer.retire(10), 1)
  t.equal(writer.put('d', api.areaTypes.BYTES, Buffer.alloc(1)), 5n)
})

t.test('a full area refuses, lets delete, and has room again', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  let count = 0
  while (typeof writer.put(`k${count}`, api.areaTypes.BYTES, Buffer.alloc(10_000, count)) === 'bigint') count++
  t.equal(writer.put('one more', api.areaTypes.BYTES, Buffer.alloc(10_000)), FULL)
  while (typeof writer.put(`small${count}`, api.areaTypes.BYTES, Buffer.alloc(10)) === 'bigint') count++
  for (const key of reader.keys() as string[]) t.type(writer.delete(key), 'bigint')
  t.same(reader.keys(), [])
  t.equal(writer.retire(10_000), count)
  t.match(writer.stats, { keys: 0, deletedKeys: 0, valueBytes: 0 })
  t.type(writer.put('large', api.areaTypes.BYTES, Buffer.alloc(500_000)), 'bigint')
})

t.test('deleting wipes the value and all that came before it', async (t) => {
  using pair = support.newPair({ capacity: 8 * support.MIB })
  const { writer } = pair
  for (const size of [40, 3000, 70_000]) {
    for (let i = 0; i < 5; i++)
      support.versionOf(writer.put('secret', api.areaTypes.BYTES, Buffer.alloc(size - i, 'SECRET')))
    support.versionOf(writer.put('other', api.areaTypes.BYTES, Buffer.alloc(size - 7, '.')))
  }
  const block = writer.reserve(50_000, api.areaTypes.BYTES)
  writer.write(block, 0, Buffer.alloc(50_000, 'SECRET'))
  writer.abandon(block)
  t.ok(support.rawBytes(writer, 8 * support.MIB).includes('SECRET'))
  writer.delete('secret')
  t.notOk(support.rawBytes(writer, 8 * support.MIB).includes('SECRET'))
})

t.test('deleting wipes older values that nothing was written over', async (t) => {
  using pair = support.newPair({ capacity: 8 * support.MIB })
  const { writer } = pair
  const left = () => support.rawBytes(writer, 8 * support.MIB).includes('SECRET')
  for (const size of [300_000, 5000, 200_000, 7000]) {
    support.versionOf(writer.put('secret', api.areaTypes.BYTES, Buffer.alloc(size, 'SECRET')))
    support.versionOf(writer.put('kept', api.areaTypes.BYTES, Buffer.alloc(size, 'PUBLIC')))
  }
  support.versionOf(writer.put('secret', api.areaTypes.BYTES, Buffer.from('short')))
  t.ok(left(), 'what came before is still there')
  writer.delete('secret')
  t.notOk(left())
})

t.test('a key that was put again after it was deleted is not retired', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  for (const key of ['a', 'b', 'c']) support.put(writer, key, 'old')
  for (const key of ['a', 'b', 'c']) writer.delete(key)
  support.put(writer, 'b', 'new')
  t.equal(writer.retire(10), 2)
  t.equal(support.textOf(reader, 'b'), 'new')
  t.same(reader.keys(), ['b'])
  writer.delete('b')
  t.equal(writer.retire(10), 1)
})

t.test('a snapshot has the keys that are asked for, those that are there; of what is none it is refused', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  for (const key of ['a', 'b', 'c', LONG_KEY]) support.put(writer, key, key)
  const keysOf = (keys: string[]) => {
    const snapshot = reader.snapshot(keys)
    return typeof snapshot === 'number' ? snapshot : [...snapshot.values.keys()].sort()
  }
  t.same(keysOf(['c', 'a', 'absent']), ['a', 'c'])
  t.same(keysOf([LONG_KEY]), [LONG_KEY])
  t.same(keysOf([]), [])
  t.equal(keysOf(['a', '']), -22)
  t.equal(keysOf([`${LONG_KEY}k`]), -22)
})

t.test('a retired key is wiped, too', async (t) => {
  using pair = support.newPair()
  for (const key of ['PRIVATE', 'PRIVATE'.repeat(30)]) {
    support.put(pair.writer, key, 'x')
    pair.writer.delete(key)
  }
  t.ok(support.rawBytes(pair.writer, support.MIB).includes('PRIVATE'))
  t.equal(pair.writer.retire(10), 2)
  t.notOk(support.rawBytes(pair.writer, support.MIB).includes('PRIVATE'))
})

t.test('versions go on from the base, and need all 64 bits', async (t) => {
  const base = 0x1_ffff_fff0n
  using pair = support.newPair({ base })
  const { writer, reader } = pair
  const key = reader.key('k')
  const feed = reader.feed()
  for (let i = 1n; i <= 40n; i++) {
    t.equal(support.put(writer, 'k', 'v'), base + i)
    t.equal(key.isUnchanged(), false)
    key.read(null)
    t.equal(key.version, base + i)
    t.equal(key.isUnchanged(), true)
    t.match(feed.poll(), { changes: [{ key: 'k', version: base + i }] })
  }
  feed.close()
})

t.test('the words of a replica, and the others of the header', async (t) => {
  using pair = support.newPair({ base: 5n })
  support.put(pair.writer, 'k', 'v')
  t.match(pair.reader.header, {
    capacity: support.MIB,
    maxKeys: 1000,
    logSize: 512,
    base: 5n,
    committed: 6n,
    liveKeys: 1,
    state: api.areaStates.LIVE,
    replicaState: 0,
    applied: 0n,
    contact: 0n,
  })
  pair.writer.setReplica(2, 2n ** 63n, 7n)
  pair.writer.markClosed()
  t.match(pair.reader.header, { replicaState: 2, applied: 2n ** 63n, contact: 7n, state: api.areaStates.CLOSED })
  t.equal(pair.writer.put('k', api.areaTypes.BYTES, Buffer.alloc(1)), ENDED)
  t.equal(support.textOf(pair.reader, 'k'), 'v')
})

t.test('a larger area takes all values over with their versions, and feeds go on', async (t) => {
  using old = support.newPair()
  for (let i = 0; i < 100; i++) support.put(old.writer, `k${i}`, `v${i}`)
  old.writer.delete('k7')
  const key = old.reader.key('k8')
  key.read(null)
  using feed = old.reader.feed('k')
  feed.poll()
  const snapshot = old.reader.snapshot({ prefix: '' })
  if (typeof snapshot === 'number') throw new Error('busy')
  using moved = support.newPair({ capacity: 4 * support.MIB, base: snapshot.version })
  for (const [name, value] of snapshot.values) t.equal(moved.writer.load(name, value), 0)
  t.equal(moved.writer.load('k9', { type: 1, version: snapshot.version + 1n, bytes: Buffer.alloc(1) }), INVALID)
  old.writer.markMoved()
  t.equal(key.isUnchanged(), false)
  t.equal(old.writer.put('k8', api.areaTypes.BYTES, Buffer.alloc(1)), ENDED)
  moved.reader.takeFeed(feed)
  t.same(feed.poll(), { changes: [], isComplete: true })
  t.equal(support.put(moved.writer, 'k8', 'new'), snapshot.version + 1n)
  t.same(feed.poll(), { changes: [{ key: 'k8', version: 102n, hasValue: true }], isComplete: true })
  t.equal((moved.reader.keys() as string[]).length, 99)
  t.equal(support.textOf(moved.reader, 'k99'), 'v99')
  t.equal(moved.writer.load('k9', { type: 1, version: 1n, bytes: Buffer.alloc(1) }), TOO_LATE)
})

t.test('a value that is loaded again is there once, and what it was is given back', async (t) => {
  using pair = support.newPair({ base: 1000n })
  const bytes = (byte: number) => Buffer.alloc(100_000, byte)
  t.equal(pair.writer.load('k', { type: 1, version: 5n, bytes: bytes(1) }), 0)
  const { usedBytes } = pair.writer.stats
  for (let i = 0; i < 100; i++) {
    t.equal(pair.writer.load('k', { type: 1, version: BigInt(6 + i), bytes: bytes(i) }), 0)
  }
  t.match(pair.writer.stats, { keys: 1, usedBytes, valueBytes: 100_000 })
  const key = pair.reader.key('k')
  const seen = Buffer.alloc(100_000)
  t.equal(key.read(seen), 100_000)
  t.ok(seen.equals(bytes(99)))
  t.equal(key.version, 105n)
  t.equal(pair.writer.delete('k'), 1001n)
})

t.test('a feed tells of its prefix alone, and of deleted keys', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  support.put(writer, 'a/1', 'x')
  support.put(writer, 'b/1', 'x')
  using feed = reader.feed('a/')
  t.same(feed.poll(), { changes: [{ key: 'a/1', version: 1n, hasValue: true }], isComplete: true })
  support.put(writer, 'b/2', 'x')
  t.same(feed.poll(), { changes: [], isComplete: true })
  support.put(writer, 'a/2', 'x')
  support.put(writer, 'a/2', 'y')
  writer.delete('a/1')
  const polled = feed.poll()
  t.same(typeof polled === 'object' && polled.changes.sort((x, y) => (x.key < y.key ? -1 : 1)), [
    { key: 'a/1', version: 6n, hasValue: false },
    { key: 'a/2', version: 5n, hasValue: true },
  ])
})

t.test('a feed compares very many keys in parts, and misses nothing that changes between them', async (t) => {
  using pair = support.newPair({ capacity: 8 * support.MIB, maxKeys: 20_000 })
  const { writer, reader } = pair
  for (let i = 0; i < 10_000; i++) support.put(writer, `k${i}`, 'x')
  using feed = reader.feed()
  const known = new Map<string, bigint>()
  let parts = 0
  const poll = (): api.AreaChanges => {
    const polled = feed.poll()
    if (typeof polled === 'number') throw new Error(`the feed answered ${polled}`)
    parts++
    for (const { key, version, hasValue } of polled.changes) {
      if (hasValue) known.set(key, version)
      else known.delete(key)
    }
    return polled
  }
  t.match(poll(), { isComplete: false, hasMore: true })
  for (const key of ['k0', 'k9999', 'new']) support.put(writer, key, 'y')
  for (const key of ['k1', 'k9998']) writer.delete(key)
  writer.retire(2)
  support.put(writer, 'k1', 'z')
  while (!poll().isComplete);
  while (!poll().isComplete);
  t.ok(parts >= 4, `${parts} parts`)
  const keys = reader.keys() as string[]
  t.same([...known.keys()].sort(), keys.sort())
  for (const key of ['k0', 'k9999', 'new', 'k1', 'k5000']) {
    const handle = reader.key(key)
    handle.read(null)
    t.equal(known.get(key), handle.version, key)
  }
  for (let i = 0; i < 6000; i++) support.put(writer, `k${i % 7}`, 'y')
  t.match(poll(), { isComplete: false, hasMore: true }, 'the log is too short: all of it again')
  while (!poll().isComplete);
  for (let i = 0; i < 7; i++) {
    const handle = reader.key(`k${i}`)
    handle.read(null)
    t.equal(known.get(`k${i}`), handle.version)
  }
})

t.test('a deleted key is told of also when it was retired and its entry has another key', async (t) => {
  using pair = support.newPair({ maxKeys: 1 })
  const { writer, reader } = pair
  support.put(writer, 'a', 'x')
  using feed = reader.feed()
  feed.poll()
  writer.delete('a')
  writer.retire(1)
  support.put(writer, 'b', 'x')
  const polled = feed.poll()
  t.same(typeof polled === 'object' && polled.changes.map(({ key, hasValue }) => [key, hasValue]).sort(), [
    ['a', false],
    ['b', true],
  ])
})

t.test('a feed that is behind the whole log compares, and misses nothing', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  support.put(writer, 'gone', 'x')
  support.put(writer, 'same', 'x')
  using feed = reader.feed()
  feed.poll()
  writer.delete('gone')
  writer.retire(1)
  for (let i = 0; i < 2000; i++) support.put(writer, `k${i % 5}`, `${i}`)
  const polled = feed.poll()
  t.same(typeof polled === 'object' && polled.changes.map(({ key, hasValue }) => [key, hasValue]).sort(), [
    ['gone', false],
    ...[0, 1, 2, 3, 4].map((i) => [`k${i}`, true]),
  ])
})

t.test('only its owner can write an area', async (t) => {
  using writer = api.AreaWriter.create({ capacity: support.MIB, maxKeys: 10 })
  using fd = writer.share()
  const { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE } = api.constants
  const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE
  t.equal(api.getSeals(fd) & seals, seals)
  t.equal(
    support.codeOf(() =>
      api.Mapping.map(fd, support.PAGE, api.mmap.PROT_READ | api.mmap.PROT_WRITE, api.mmap.MAP_SHARED),
    ),
    'EACCES',
  )
})

t.test('an area of huge pages is refused: its owner could take them away, and a read would be SIGBUS', async (t) => {
  using huge = support.hugeMemfd()
  if (huge === null) return t.comment('this kernel has no huge pages')
  t.equal(
    support.codeOf(() => api.AreaReader.attach(huge)),
    'EINVAL',
  )
})

t.test('a descriptor that is not of an area is refused before it is mapped', async (t) => {
  using unsealed = support.sizedMemfd(support.MIB)
  t.equal(
    support.codeOf(() => api.AreaReader.attach(unsealed)),
    'EPERM',
  )
  api.addSeals(unsealed, api.constants.F_SEAL_SHRINK)
  t.equal(
    support.codeOf(() => api.AreaReader.attach(unsealed)),
    'EBADMSG',
  )
  using small = support.sizedMemfd(support.PAGE)
  api.addSeals(small, api.constants.F_SEAL_SHRINK)
  t.equal(
    support.codeOf(() => api.AreaReader.attach(small)),
    'EBADMSG',
  )
  for (const options of [
    { capacity: support.PAGE },
    { capacity: support.MIB, maxKeys: 65_536 },
    { capacity: support.MIB, logSize: 1000 },
    { capacity: support.MIB, logSize: 256 },
    { capacity: support.MIB, maxKeys: 0 },
  ]) {
    t.equal(
      support.codeOf(() => api.AreaWriter.create(options)),
      'EINVAL',
    )
  }
})

t.test('closed, all of it throws, and nothing is mapped any more', async (t) => {
  const { writer, reader } = support.newPair()
  support.put(writer, 'k', 'v')
  const key = reader.key('k')
  key.read(null)
  const feed = reader.feed()
  feed.poll()
  reader.close()
  reader.close()
  t.equal(key.isUnchanged(), false)
  t.equal(
    support.codeOf(() => feed.poll()),
    'EBADF',
  )
  feed.close()
  for (const use of [
    () => key.read(null),
    () => reader.header,
    () => reader.keys(),
    () => reader.snapshot([]),
    () => reader.key('k').read(null),
  ]) {
    t.equal(support.codeOf(use), 'ERR_CLOSED')
  }
  writer.close()
  writer.close()
  for (const use of [
    () => writer.put('k', 1, Buffer.alloc(1)),
    () => writer.commit([]),
    () => writer.reserve(1, 1),
    () => writer.retire(1),
    () => writer.stats,
  ]) {
    t.equal(support.codeOf(use), 'ERR_CLOSED')
  }
  t.equal(support.memfdMappings().length, 0)
})

t.test('a reader outlives the owner', async (t) => {
  const { writer, reader } = support.newPair()
  support.put(writer, 'k', 'last')
  writer.close()
  t.equal(support.textOf(reader, 'k'), 'last')
  reader.close()
})

t.test('memory is allocated as it is needed, and a second reader costs nothing of it', async (t) => {
  using writer = api.AreaWriter.create({ capacity: 1024 * support.MIB, maxKeys: 1_000_000 })
  using _reader = support.attachTo(writer)
  t.ok(writer.stats.allocatedBytes <= support.MIB)
  support.versionOf(writer.put('large', api.areaTypes.BYTES, Buffer.alloc(16 * support.MIB)))
  t.ok(writer.stats.allocatedBytes <= 24 * support.MIB)
})

t.test('all values go to another area, with their versions, which then go on there', async (t) => {
  using from = support.newPair()
  using next = api.AreaWriter.create({ capacity: 2 * support.MIB, maxKeys: 2000 })
  const { writer } = from
  const versions = new Map([LONG_KEY, 'a', 'b', 'c'].map((key) => [key, support.put(writer, key, key)]))
  writer.delete('b')
  writer.retire(1)
  support.put(writer, 'gone', '')
  writer.delete('gone')
  t.equal(next.prepare(100, 512 * 1024), 0)
  t.equal(next.prepare(100, 512 * 1024), 0)
  t.ok(next.stats.allocatedBytes >= 512 * 1024)
  t.equal(writer.copyTo(next), 0)
  using reader = support.attachTo(next)
  t.same((reader.keys() as string[]).sort(), [LONG_KEY, 'a', 'c'].sort())
  for (const name of [LONG_KEY, 'a', 'c']) {
    const key = reader.key(name)
    key.read(null)
    t.equal(key.byteLength, name.length)
    t.equal(key.version, versions.get(name))
    t.equal(support.textOf(reader, name), name)
  }
  const { committed } = writer.stats
  t.match(reader.header, { base: committed, committed, liveKeys: 3 })
  t.equal(support.put(next, 'a', 'new'), committed + 1n)
  t.equal(writer.copyTo(next), TOO_LATE, 'something is in it')
  t.equal(writer.copyTo(writer), INVALID)
})

t.test('values that do not fit into another area are refused, and stay where they are', async (t) => {
  using from = support.newPair({ capacity: 2 * support.MIB })
  using to = support.newPair()
  for (let i = 0; i < 15; i++)
    support.versionOf(from.writer.put(`k${i}`, api.areaTypes.BYTES, Buffer.alloc(100_000, i)))
  t.equal(from.writer.copyTo(to.writer), FULL)
  t.equal((from.reader.keys() as string[]).length, 15)
  using few = support.newPair({ maxKeys: 10, capacity: 4 * support.MIB })
  t.equal(from.writer.copyTo(few.writer), TOO_MANY_KEYS)
  t.equal(few.writer.prepare(2 ** 32 - 1, 2 ** 40), 0, 'no more than the area has')
  t.ok(few.writer.stats.allocatedBytes <= 4 * support.MIB)
})

t.test('keys are listed in parts, each that is there all the time once', async (t) => {
  using pair = support.newPair({ maxKeys: 100 })
  t.equal(pair.reader.keysAt(0, 10), ABSENT)
  const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
  for (const key of keys) support.put(pair.writer, key, key)
  const listed: string[] = []
  for (let place = 0; ; place += 7) {
    const part = pair.reader.keysAt(place, 7)
    if (part === ABSENT) break
    t.ok((part as string[]).length <= 7)
    listed.push(...(part as string[]))
    support.versionOf(pair.writer.delete(`k${59 - place / 7}`))
    support.put(pair.writer, 'k0', `${place}`)
  }
  t.same(
    listed.filter((key) => Number(key.slice(1)) < 50),
    keys.slice(0, 50),
  )
  t.equal(new Set(listed).size, listed.length)
  t.same(pair.reader.keysAt(59, 2 ** 32 - 1), [])
  t.equal(pair.reader.keysAt(2 ** 32 - 1, 2 ** 32 - 1), ABSENT)
})

t.test('versions are left out, and who watches compares', async (t) => {
  using pair = support.newPair({ logSize: 512, base: 10n })
  const { writer, reader } = pair
  t.equal(writer.skipTo(10n), INVALID)
  t.equal(writer.skipTo(20n), 0)
  t.equal(writer.load('before', { type: api.areaTypes.BYTES, version: 20n, bytes: Buffer.from('x') }), 0)
  t.equal(writer.skipTo(21n), 0, 'nobody has it yet')
  t.equal(support.put(writer, 'a', 'a'), 22n)
  const told = (feed: api.AreaFeed) =>
    (feed.poll() as api.AreaChanges).changes.map(({ key, version }) => [key, version]).sort()
  const [all, news] = [reader.feed(), reader.feed()]
  news.skipPresent()
  t.same(told(all), [
    ['a', 22n],
    ['before', 20n],
  ])
  t.equal(writer.skipTo(22n + 512n), INVALID, 'the log has records of those')
  t.equal(writer.load('late', { type: api.areaTypes.BYTES, version: 20n, bytes: Buffer.from('x') }), TOO_LATE)
  support.put(writer, 'b', 'b')
  support.versionOf(writer.delete('a'))
  t.equal(writer.skipTo(2n ** 62n), 0)
  t.equal(reader.header.committed, 2n ** 62n)
  t.equal(support.put(writer, 'c', 'c'), 2n ** 62n + 1n)
  t.equal(support.textOf(reader, 'b'), 'b')
  for (const feed of [all, news]) {
    t.same(told(feed), [
      ['a', 24n],
      ['b', 23n],
      ['c', 2n ** 62n + 1n],
    ])
    t.same(told(feed), [])
    feed.close()
  }
  writer.markClosed()
  t.equal(writer.skipTo(2n ** 63n), ENDED)
})
