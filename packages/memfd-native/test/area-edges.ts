/** The last and the first of everything in an area: what just fits is read as it is, one more is damage. */
import t, { type Test } from 'tap'
import * as api from '../src/index.ts'
import { codeOf, forgedArea, leakChecked, MIB, newPair, put, textOf, versionOf } from '../test-support/index.ts'

leakChecked(t)
const { ABSENT, DAMAGED } = api.areaCodes
const CAPACITY = MIB
const ENTRY = 4096 + 512 * 8
const HEAP = 12_288
const INDEX_WORD = 144
const [REF, UID, SHAPE] = [ENTRY, ENTRY + 16, ENTRY + 32]
const [BLOCK_SHAPE, BLOCK_HEADER] = [24, 32]

/** One with the key `k`, whose value, and index, are copied to the end, where there is nothing else. */
function forged(t: Test) {
  const area = forgedArea({ capacity: CAPACITY, maxKeys: 8 })
  t.teardown(() => area[Symbol.dispose]())
  const reader = area.attach()
  t.teardown(() => reader.close())
  const word = (at: number) => {
    const bytes = Buffer.alloc(8)
    area.mapping.read(at, bytes, 0, 8)
    return bytes.readBigUInt64LE()
  }
  const read = (length = 100) => {
    const target = Buffer.alloc(length)
    const count = reader.key('k').read(target)
    return count < 0 ? count : target.toString('latin1', 0, count)
  }
  const block = Number(word(REF))
  /** The value's block is there, with so many bytes. */
  const moveBlock = (to: number, bytes: number) => {
    const copy = Buffer.alloc(BLOCK_HEADER + 16)
    area.mapping.read(block, copy, 0, copy.length)
    area.mapping.write(to, copy, 0, Math.min(copy.length, CAPACITY - to))
    if (to + BLOCK_SHAPE + 8 <= CAPACITY) area.write(to + BLOCK_SHAPE, BigInt(bytes) | (1n << 32n))
    area.write(REF, BigInt(to))
  }
  const index = word(INDEX_WORD)
  const log2 = Number(index & 63n)
  const slots = Number(index >> 28n) * 16
  const positions = Array.from({ length: 2 ** log2 }, (_, i) => i)
  const position = positions.find((i) => word(slots + 8 * i) !== 0n) ?? -1
  const slot = word(slots + 8 * position)
  /** The index is there, with so many slots, and the key's is this. */
  const moveIndex = (to: number, newLog2: number, value = slot, others = 0n) => {
    for (let i = 0; i < 2 ** newLog2 && to + 8 * i < CAPACITY; i++) {
      area.write(to + 8 * i, i === (position & (2 ** newLog2 - 1)) ? value : others)
    }
    area.write(INDEX_WORD, (BigInt(to / 16) << 28n) | (((index >> 6n) & 0x3fffffn) << 6n) | BigInt(newLog2))
  }
  return { area, reader, read, word, moveBlock, moveIndex, slot, log2 }
}

t.test('a block may end where the area ends, and no byte later', async (t) => {
  const { area, read, moveBlock } = forged(t)
  moveBlock(CAPACITY - 48, 5)
  t.equal(read(), 'value')
  moveBlock(CAPACITY - 48, 16)
  t.equal((read() as string).length, 16)
  moveBlock(CAPACITY - 48, 17)
  t.equal(read(), DAMAGED)
  moveBlock(CAPACITY - 32, 0)
  t.equal(read(), '', 'the last place there is')
  moveBlock(CAPACITY - 32, 1)
  t.equal(read(), DAMAGED)
  for (const at of [CAPACITY - 16, CAPACITY, CAPACITY + 16]) {
    area.write(REF, BigInt(at))
    t.equal(read(), DAMAGED, `${at - CAPACITY}`)
  }
})

t.test('a block may begin where the heap begins, and no byte earlier, at a multiple of 16', async (t) => {
  const { read, moveBlock, moveIndex, log2 } = forged(t)
  moveIndex(CAPACITY / 2, log2)
  moveBlock(HEAP, 5)
  t.equal(read(), 'value')
  moveBlock(HEAP + 16, 5)
  t.equal(read(), 'value')
  for (const at of [HEAP - 16, HEAP + 8, HEAP + 1]) {
    moveBlock(at, 5)
    t.equal(read(), DAMAGED, `${at - HEAP}`)
  }
})

t.test('an index lies in the heap, whole, and has 4 slots at least', async (t) => {
  const { area, read, word, moveIndex, moveBlock, log2 } = forged(t)
  t.ok(log2 >= 4)
  moveBlock(CAPACITY / 2, 5)
  moveIndex(CAPACITY - 32, 2)
  t.equal(read(), 'value', 'the last place of the smallest one')
  moveIndex(CAPACITY - 64, 3)
  t.equal(read(), 'value')
  moveIndex(HEAP, log2)
  t.equal(read(), 'value', 'the first place')
  for (const [at, log] of [
    [CAPACITY - 32, 3],
    [CAPACITY - 16, 2],
    [CAPACITY, 2],
    [HEAP - 16, 2],
    [CAPACITY / 4, 1],
    [CAPACITY / 4, 0],
  ] as const) {
    moveIndex(at, log)
    t.equal(read(), DAMAGED, `2^${log} slots at ${at}`)
  }
  for (const log of [26, 63]) {
    moveIndex(CAPACITY / 4, 4)
    t.equal(read(), 'value')
    area.write(INDEX_WORD, (word(INDEX_WORD) & ~63n) | BigInt(log))
    t.equal(read(), DAMAGED, `2^${log} slots`)
  }
})

t.test('a slot names an entry that there is', async (t) => {
  const { read, moveIndex, moveBlock, slot, reader } = forged(t)
  moveBlock(CAPACITY / 2, 5)
  const hash = slot & ~0xffffffffn
  moveIndex(CAPACITY / 4, 4, hash | 8n) // the last entry, which is free
  t.equal(read(), ABSENT)
  for (const number of [0n, 9n, 0x7fffffffn, 0xfffffffen]) {
    moveIndex(CAPACITY / 4, 4, hash | number)
    t.equal(read(), DAMAGED, `${number}`)
  }
  moveIndex(CAPACITY / 4, 4, 0xffffffffn, 0xffffffffn)
  t.equal(read(), ABSENT, 'all slots are deleted ones')
  moveIndex(CAPACITY / 4, 10, 0xffffffffn, 0xffffffffn)
  t.equal(read(), DAMAGED, 'so many that an owner would have made a new index')
  moveIndex(CAPACITY / 4, 9, 0xffffffffn, 0xffffffffn)
  t.equal(read(), ABSENT)
  moveIndex(CAPACITY / 4, 4)
  t.equal(read(), 'value')
  t.same(reader.keys(), ['k'])
})

t.test('an entry without a life, or with another length, has no such key', async (t) => {
  const { area, read, word, reader } = forged(t)
  const [uid, shape] = [word(UID), word(SHAPE)]
  area.write(UID, 0n)
  t.equal(read(), ABSENT)
  t.same(reader.keys(), [])
  area.write(UID, uid)
  for (const length of [0n, 2n, 513n, 0xffffn]) {
    area.write(SHAPE, length)
    t.equal(read(), ABSENT, `${length}`)
    if (length !== 2n) t.same(reader.keys(), [])
  }
  area.write(SHAPE, shape)
  t.equal(read(), 'value')
})

t.test('an area may be as its format allows, and no more', async (t) => {
  const wrong: Partial<api.AreaOptions>[] = [
    { logSize: 256 },
    { logSize: 2 ** 21 },
    { logSize: 513 },
    { maxKeys: 0 },
    { maxKeys: 2 ** 24 + 1 },
  ]
  const right: Partial<api.AreaOptions>[] = [
    { logSize: 512 },
    { logSize: 2 ** 20 },
    { maxKeys: 1 },
    { maxKeys: 2 ** 24 },
  ]
  for (const options of [...wrong, ...right]) {
    const code = codeOf(() => {
      using pair = newPair({ capacity: 4096 * MIB, ...options })
      put(pair.writer, 'k', 'value')
      t.equal(textOf(pair.reader, 'k'), 'value')
    })
    t.equal(code, wrong.includes(options) ? 'EINVAL' : 'ok', JSON.stringify(options))
  }
})

t.test('a heap has room for 64 bytes at least', async (t) => {
  // The header, the log, 8 entries: the heap begins at the next page.
  for (const [capacity, code] of [
    [HEAP, 'EINVAL'],
    [HEAP + 4096, 'ok'],
  ] as const) {
    t.equal(
      codeOf(() => {
        using pair = newPair({ capacity, maxKeys: 8 })
        versionOf(pair.writer.put('k', api.areaTypes.BYTES, Buffer.from('value')))
      }),
      code,
    )
  }
})

t.test(
  'a record of the log that is another transaction`s by now is not believed: everything is compared',
  async (t) => {
    const { area, reader, word } = forged(t)
    const [COMMITTED, LOG, LOG_SIZE] = [128, 4096, 512n]
    const version = word(COMMITTED)
    using feed = reader.feed()
    t.match(feed.poll(), { changes: [{ key: 'k', version }] })
    const next = version + 1n
    area.write(ENTRY + 8, next)
    area.write(Number(word(REF)), next)
    area.write(LOG + 8 * Number(next % LOG_SIZE), ((next + LOG_SIZE) << 32n) | 5n)
    area.write(COMMITTED, next)
    t.match(feed.poll(), { changes: [{ key: 'k', version: next }], isComplete: true })
  },
)
