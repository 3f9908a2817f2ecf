/** One owner and its readers in one process: what is written is read, as docs/protocol.md section 9 says. */
import t from 'tap'
import {
  AreaReader,
  AreaWriter,
  addSeals,
  areaCodes,
  areaStates,
  areaTypes,
  areaWriteCodes,
  constants,
  getSeals,
  Mapping,
  mmap,
} from '../src/index.ts'
import { attachTo, MIB, newPair, put, rawBytes, textOf, versionOf } from '../test-support/area.ts'
import { codeOf } from '../test-support/code-of.ts'
import { leakChecked, memfdMappings } from '../test-support/leaks.ts'
import { PAGE, sizedMemfd } from '../test-support/memfd.ts'

leakChecked(t)
const { ABSENT, BAD_KEY, CONFLICT } = areaCodes
const { FULL, TOO_MANY_KEYS, TOO_LARGE, ENDED, INVALID, OUTSIDE, TOO_LATE } = areaWriteCodes
const LONG_KEY = 'k'.repeat(512)

t.test('a value is read as it was put, with its type and version', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  t.equal(writer.put('bytes', areaTypes.BYTES, Buffer.from('\0\x01')), 1n)
  t.equal(writer.put('json', areaTypes.JSON, Buffer.from('{}')), 2n)
  const [bytes, json] = [reader.key('bytes'), reader.key('json')]
  const target = Buffer.alloc(8, 0xff)
  t.equal(bytes.read(target), 2)
  t.same([...target.subarray(0, 3)], [0, 1, 0xff])
  t.match(bytes, { byteLength: 2, type: areaTypes.BYTES, version: 1n, state: areaStates.LIVE })
  t.equal(json.read(null), 0)
  t.match(json, { byteLength: 2, type: areaTypes.JSON, version: 2n })
})

t.test('keys and values of every length around the bounds of the format', async (t) => {
  using pair = newPair({ capacity: 8 * MIB })
  const { writer, reader } = pair
  for (const keyLength of [1, 7, 8, 9, 23, 24, 25, 32, 255, 511, 512]) {
    const key = 'é'.repeat(keyLength >> 1) + (keyLength % 2 === 1 ? 'x' : '')
    for (const length of [0, 1, 31, 32, 33, 4064, 4096, 65_536, 100_000]) {
      const value = Buffer.alloc(length, keyLength)
      versionOf(writer.put(key, areaTypes.BYTES, value))
      const target = Buffer.alloc(length)
      t.equal(reader.key(key).read(target), length)
      t.ok(target.equals(value), `${keyLength} and ${length} bytes`)
    }
  }
})

t.test('a key that is empty, too long or no string is refused by both halves', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  for (const key of ['', 'k'.repeat(513), `${'k'.repeat(511)}é`]) {
    t.equal(writer.put(key, areaTypes.BYTES, Buffer.alloc(1)), INVALID)
    t.equal(writer.delete(key), INVALID)
    t.equal(reader.key(key).read(null), BAD_KEY)
  }
  t.equal(
    codeOf(() => writer.put(7 as never, areaTypes.BYTES, Buffer.alloc(1))),
    'ERR_INVALID_ARG_TYPE',
  )
  t.equal(
    codeOf(() => reader.key(7 as never).read(null)),
    'ERR_INVALID_ARG_TYPE',
  )
  t.equal(
    codeOf(() => writer.put('k', 3, Buffer.alloc(1))),
    'ERR_OUT_OF_RANGE',
  )
})

t.test('a part of a value is read from a position on, as much as there is room for', async (t) => {
  using pair = newPair()
  put(pair.writer, 'k', '0123456789')
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
      codeOf(() => key.read(target, position)),
      'ERR_OUT_OF_RANGE',
    )
  }
})

t.test('parts of one version: another one is a conflict', async (t) => {
  using pair = newPair()
  const version = put(pair.writer, 'k', 'first')
  const key = pair.reader.key('k')
  t.equal(key.read(Buffer.alloc(3), 0, version), 3)
  put(pair.writer, 'k', 'second')
  t.equal(key.read(Buffer.alloc(3), 3, version), CONFLICT)
  t.equal(key.version, 2n)
})

t.test('what was read is unchanged until it is put, deleted, retired or moved', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  const key = reader.key('k')
  const changes: [string, () => unknown][] = [
    ['put', () => put(writer, 'k', 'a')],
    ['put again', () => put(writer, 'k', 'a')],
    ['deleted', () => writer.delete('k')],
    ['retired', () => writer.retire(1)],
    ['put after that', () => put(writer, 'k', 'b')],
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
  t.equal(key.state, areaStates.MOVED)
})

t.test('another key that changes leaves a key unchanged', async (t) => {
  using pair = newPair()
  put(pair.writer, 'k', 'a')
  const key = pair.reader.key('k')
  key.read(null)
  for (let i = 0; i < 500; i++) put(pair.writer, `other ${i}`, 'b')
  t.equal(key.isUnchanged(), true)
})

t.test('a transaction has one version, and its last edit of a key counts', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  const blockOf = (text: string) => {
    const block = writer.reserve(text.length, areaTypes.BYTES)
    t.equal(writer.write(block, 0, Buffer.from(text)), 0)
    return block
  }
  put(writer, 'b', 'before')
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
      [...snapshot.values].map(([key, { version, bytes }]) => [key, version, String(bytes)]).sort(),
    [
      ['a', 4n, 'last'],
      ['c', 4n, 'c'],
    ],
  )
  t.equal(writer.commit([{ key: 'b' }]), 0n)
  t.equal(writer.commit([]), 0n)
  t.equal(writer.commit(Array.from({ length: 257 }, () => ({ key: 'a' }))), TOO_LARGE)
})

t.test('a value in parts is nobody`s until it is committed', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  const block = writer.reserve(10, areaTypes.BYTES)
  t.equal(writer.write(block, 5, Buffer.from('WORLD')), 0)
  t.equal(writer.write(block, 0, Buffer.from('hello')), 0)
  t.equal(writer.write(block, 8, Buffer.from('toolong')), OUTSIDE)
  t.equal(writer.write(block, 11, Buffer.alloc(0)), OUTSIDE)
  t.equal(textOf(reader, 'k'), ABSENT)
  t.equal(writer.commit([{ key: 'k', block }]), 1n)
  t.equal(textOf(reader, 'k'), 'helloWORLD')
  t.equal(writer.write(block, 0, Buffer.from('x')), INVALID)
  t.equal(writer.commit([{ key: 'k', block }]), INVALID)
  const given = writer.reserve(10, areaTypes.BYTES)
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
  t.equal(textOf(reader, 'k'), 'helloWORLD')
})

t.test('a transaction that finds no room changes nothing, and can be tried again', async (t) => {
  using pair = newPair({ maxKeys: 2 })
  const { writer, reader } = pair
  put(writer, 'a', 'a')
  const blocks = ['b', 'c'].map(() => writer.reserve(1, areaTypes.BYTES))
  const edits = blocks.map((block, i) => ({ key: `${LONG_KEY.slice(1)}${i}`, block }))
  const before = writer.stats
  t.equal(writer.commit(edits), TOO_MANY_KEYS)
  t.match(writer.stats, { keys: 1, usedBytes: before.usedBytes, committed: 1n })
  t.same(reader.keys(), ['a'])
  t.equal(writer.commit(edits.slice(0, 1)), 2n)
  writer.abandon(blocks[1] as number)
  t.equal(writer.put('d', areaTypes.BYTES, Buffer.alloc(1)), TOO_MANY_KEYS)
  t.equal(writer.delete('a'), 3n)
  t.equal(writer.put('d', areaTypes.BYTES, Buffer.alloc(1)), TOO_MANY_KEYS)
  t.equal(writer.retire(10), 1)
  t.equal(writer.put('d', areaTypes.BYTES, Buffer.alloc(1)), 5n)
})

t.test('a full area refuses, lets delete, and has room again', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  let count = 0
  while (typeof writer.put(`k${count}`, areaTypes.BYTES, Buffer.alloc(10_000, count)) === 'bigint') count++
  t.equal(writer.put('one more', areaTypes.BYTES, Buffer.alloc(10_000)), FULL)
  while (typeof writer.put(`small${count}`, areaTypes.BYTES, Buffer.alloc(10)) === 'bigint') count++
  for (const key of reader.keys() as string[]) t.type(writer.delete(key), 'bigint')
  t.same(reader.keys(), [])
  t.equal(writer.retire(10_000), count)
  t.match(writer.stats, { keys: 0, deletedKeys: 0, valueBytes: 0 })
  t.type(writer.put('large', areaTypes.BYTES, Buffer.alloc(500_000)), 'bigint')
})

t.test('deleting wipes the value and all that came before it', async (t) => {
  using pair = newPair({ capacity: 8 * MIB })
  const { writer } = pair
  for (const size of [40, 3000, 70_000]) {
    for (let i = 0; i < 5; i++) versionOf(writer.put('secret', areaTypes.BYTES, Buffer.alloc(size - i, 'SECRET')))
    versionOf(writer.put('other', areaTypes.BYTES, Buffer.alloc(size - 7, '.')))
  }
  const block = writer.reserve(50_000, areaTypes.BYTES)
  writer.write(block, 0, Buffer.alloc(50_000, 'SECRET'))
  writer.abandon(block)
  t.ok(rawBytes(writer, 8 * MIB).includes('SECRET'))
  writer.delete('secret')
  t.notOk(rawBytes(writer, 8 * MIB).includes('SECRET'))
})

t.test('a retired key is wiped, too', async (t) => {
  using pair = newPair()
  for (const key of ['PRIVATE', 'PRIVATE'.repeat(30)]) {
    put(pair.writer, key, 'x')
    pair.writer.delete(key)
  }
  t.ok(rawBytes(pair.writer, MIB).includes('PRIVATE'))
  t.equal(pair.writer.retire(10), 2)
  t.notOk(rawBytes(pair.writer, MIB).includes('PRIVATE'))
})

t.test('versions go on from the base, and need all 64 bits', async (t) => {
  const base = 0x1_ffff_fff0n
  using pair = newPair({ base })
  const { writer, reader } = pair
  const key = reader.key('k')
  const feed = reader.feed()
  for (let i = 1n; i <= 40n; i++) {
    t.equal(put(writer, 'k', 'v'), base + i)
    t.equal(key.isUnchanged(), false)
    key.read(null)
    t.equal(key.version, base + i)
    t.equal(key.isUnchanged(), true)
    t.match(feed.poll(), { changes: [{ key: 'k', version: base + i }] })
  }
  feed.close()
})

t.test('the words of a replica, and the others of the header', async (t) => {
  using pair = newPair({ base: 5n })
  put(pair.writer, 'k', 'v')
  t.match(pair.reader.header, {
    capacity: MIB,
    maxKeys: 1000,
    logSize: 512,
    base: 5n,
    committed: 6n,
    liveKeys: 1,
    state: areaStates.LIVE,
    replicaState: 0,
    applied: 0n,
    contact: 0n,
  })
  pair.writer.setReplica(2, 2n ** 63n, 7n)
  pair.writer.markClosed()
  t.match(pair.reader.header, { replicaState: 2, applied: 2n ** 63n, contact: 7n, state: areaStates.CLOSED })
  t.equal(pair.writer.put('k', areaTypes.BYTES, Buffer.alloc(1)), ENDED)
  t.equal(textOf(pair.reader, 'k'), 'v')
})

t.test('a larger area takes all values over with their versions, and feeds go on', async (t) => {
  using old = newPair()
  for (let i = 0; i < 100; i++) put(old.writer, `k${i}`, `v${i}`)
  old.writer.delete('k7')
  const key = old.reader.key('k8')
  key.read(null)
  using feed = old.reader.feed('k')
  feed.poll()
  const snapshot = old.reader.snapshot({ prefix: '' })
  if (typeof snapshot === 'number') throw new Error('busy')
  using moved = newPair({ capacity: 4 * MIB, base: snapshot.version })
  for (const [name, value] of snapshot.values) t.equal(moved.writer.load(name, value), 0)
  t.equal(moved.writer.load('k9', { type: 1, version: snapshot.version + 1n, bytes: Buffer.alloc(1) }), INVALID)
  old.writer.markMoved()
  t.equal(key.isUnchanged(), false)
  t.equal(old.writer.put('k8', areaTypes.BYTES, Buffer.alloc(1)), ENDED)
  moved.reader.takeFeed(feed)
  t.same(feed.poll(), { changes: [], isComplete: true })
  t.equal(put(moved.writer, 'k8', 'new'), snapshot.version + 1n)
  t.same(feed.poll(), { changes: [{ key: 'k8', version: 102n, hasValue: true }], isComplete: true })
  t.equal((moved.reader.keys() as string[]).length, 99)
  t.equal(textOf(moved.reader, 'k99'), 'v99')
  t.equal(moved.writer.load('k9', { type: 1, version: 1n, bytes: Buffer.alloc(1) }), TOO_LATE)
})

t.test('a feed tells of its prefix alone, and of deleted keys', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  put(writer, 'a/1', 'x')
  put(writer, 'b/1', 'x')
  using feed = reader.feed('a/')
  t.same(feed.poll(), { changes: [{ key: 'a/1', version: 1n, hasValue: true }], isComplete: true })
  put(writer, 'b/2', 'x')
  t.same(feed.poll(), { changes: [], isComplete: true })
  put(writer, 'a/2', 'x')
  put(writer, 'a/2', 'y')
  writer.delete('a/1')
  const polled = feed.poll()
  t.same(typeof polled === 'object' && polled.changes.sort((x, y) => (x.key < y.key ? -1 : 1)), [
    { key: 'a/1', version: 6n, hasValue: false },
    { key: 'a/2', version: 5n, hasValue: true },
  ])
})

t.test('a deleted key is told of also when it was retired and its entry has another key', async (t) => {
  using pair = newPair({ maxKeys: 1 })
  const { writer, reader } = pair
  put(writer, 'a', 'x')
  using feed = reader.feed()
  feed.poll()
  writer.delete('a')
  writer.retire(1)
  put(writer, 'b', 'x')
  const polled = feed.poll()
  t.same(typeof polled === 'object' && polled.changes.map(({ key, hasValue }) => [key, hasValue]).sort(), [
    ['a', false],
    ['b', true],
  ])
})

t.test('a feed that is behind the whole log compares, and misses nothing', async (t) => {
  using pair = newPair()
  const { writer, reader } = pair
  put(writer, 'gone', 'x')
  put(writer, 'same', 'x')
  using feed = reader.feed()
  feed.poll()
  writer.delete('gone')
  writer.retire(1)
  for (let i = 0; i < 2000; i++) put(writer, `k${i % 5}`, `${i}`)
  const polled = feed.poll()
  t.same(typeof polled === 'object' && polled.changes.map(({ key, hasValue }) => [key, hasValue]).sort(), [
    ['gone', false],
    ...[0, 1, 2, 3, 4].map((i) => [`k${i}`, true]),
  ])
})

t.test('only its owner can write an area', async (t) => {
  using writer = AreaWriter.create({ capacity: MIB, maxKeys: 10 })
  using fd = writer.share()
  const { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE } = constants
  const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE
  t.equal(getSeals(fd) & seals, seals)
  t.equal(
    codeOf(() => Mapping.map(fd, PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)),
    'EACCES',
  )
})

t.test('what is no area is refused before it is mapped', async (t) => {
  using unsealed = sizedMemfd(MIB)
  t.equal(
    codeOf(() => AreaReader.attach(unsealed)),
    'EPERM',
  )
  addSeals(unsealed, constants.F_SEAL_SHRINK)
  t.equal(
    codeOf(() => AreaReader.attach(unsealed)),
    'EBADMSG',
  )
  using small = sizedMemfd(PAGE)
  addSeals(small, constants.F_SEAL_SHRINK)
  t.equal(
    codeOf(() => AreaReader.attach(small)),
    'EBADMSG',
  )
  for (const options of [
    { capacity: PAGE },
    { capacity: MIB, maxKeys: 65_536 },
    { capacity: MIB, logSize: 1000 },
    { capacity: MIB, logSize: 256 },
    { capacity: MIB, maxKeys: 0 },
  ]) {
    t.equal(
      codeOf(() => AreaWriter.create(options)),
      'EINVAL',
    )
  }
})

t.test('closed, all of it throws, and nothing is mapped any more', async (t) => {
  const { writer, reader } = newPair()
  put(writer, 'k', 'v')
  const key = reader.key('k')
  key.read(null)
  const feed = reader.feed()
  feed.poll()
  reader.close()
  reader.close()
  t.equal(key.isUnchanged(), false)
  t.equal(
    codeOf(() => feed.poll()),
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
    t.equal(codeOf(use), 'ERR_CLOSED')
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
    t.equal(codeOf(use), 'ERR_CLOSED')
  }
  t.equal(memfdMappings().length, 0)
})

t.test('a reader outlives the owner', async (t) => {
  const { writer, reader } = newPair()
  put(writer, 'k', 'last')
  writer.close()
  t.equal(textOf(reader, 'k'), 'last')
  reader.close()
})

t.test('memory is allocated as it is needed, and a second reader costs nothing of it', async (t) => {
  using writer = AreaWriter.create({ capacity: 1024 * MIB, maxKeys: 1_000_000 })
  using _reader = attachTo(writer)
  t.ok(writer.stats.allocatedBytes <= MIB)
  versionOf(writer.put('large', areaTypes.BYTES, Buffer.alloc(16 * MIB)))
  t.ok(writer.stats.allocatedBytes <= 24 * MIB)
})
