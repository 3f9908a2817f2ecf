/** An owner that writes anything at any moment: a reader answers, whatever it is, and lives. */
import t from 'tap'
import { areaCodes } from '../src/index.ts'
import { codeOf, forgedArea, leakChecked, runFixture, textOf } from '../test-support/index.ts'

leakChecked(t)
const CAPACITY = 1 << 20
const HEADER = {
  magic: [0, 8],
  layout: [8, 4],
  headerBytes: [12, 4],
  capacity: [16, 8],
  entriesAt: [24, 8],
  maxEntries: [32, 4],
  logSize: [36, 4],
  heapAt: [40, 8],
  logAt: [48, 8],
} as const

const damagedArea = () => forgedArea({ capacity: CAPACITY, maxKeys: 8 })

for (const [field, [at, bytes]] of Object.entries(HEADER)) {
  t.test(`a header with a wrong ${field} is refused`, async (t) => {
    using area = damagedArea()
    for (const value of [0n, 3n, 63n, 2n ** 20n + 1n, 2n ** 31n, 2n ** 41n, 2n ** 63n, -1n, -64n]) {
      if (value >= 2n ** 32n && bytes === 4) continue
      area.write(at, value, bytes)
      // What is sound all the same is another area, and must be readable without harm.
      const code = codeOf(() => {
        using reader = area.attach()
        textOf(reader, 'k')
        reader.keys()
      })
      t.ok(['EBADMSG', 'ok'].includes(code), `${value}: ${code}`)
      if (field !== 'heapAt' && field !== 'entriesAt' && field !== 'logAt' && field !== 'maxEntries')
        t.equal(code, 'EBADMSG')
    }
  })
}

t.test('a header that changes after it was checked changes nothing', async (t) => {
  using area = damagedArea()
  using reader = area.attach()
  for (const [at, bytes] of Object.values(HEADER)) area.write(at, -1n, bytes)
  t.equal(textOf(reader, 'k'), 'value')
})

t.test('every offset, number and length that leads outside is damage, or nothing', async (t) => {
  using area = damagedArea()
  using reader = area.attach()
  const { entriesAt } = { entriesAt: 4096 + 512 * 8 }
  const before = Buffer.alloc(8)
  const places = {
    index: 144,
    ref: entriesAt,
    uid: entriesAt + 16,
    shape: entriesAt + 32,
    key: entriesAt + 40,
    count: 168,
  }
  for (const [place, at] of Object.entries(places)) {
    area.mapping.read(at, before, 0, 8)
    for (const value of [
      1n,
      15n,
      16n,
      4096n,
      2n ** 20n - 31n,
      2n ** 20n - 16n,
      2n ** 20n,
      2n ** 63n,
      -1n,
      -16n,
      -32n,
    ]) {
      area.write(at, value)
      const answer = textOf(reader, 'k')
      t.ok(answer === 'value' || typeof answer === 'number', `${place} ${value}: ${answer}`)
      reader.keys()
      reader.snapshot({ prefix: '' })
    }
    area.mapping.write(at, before, 0, 8)
    t.equal(textOf(reader, 'k'), 'value')
  }
})

t.test('a value that claims to be longer than the area is damage', async (t) => {
  using area = damagedArea()
  using reader = area.attach()
  const ref = Buffer.alloc(8)
  area.mapping.read(4096 + 512 * 8, ref, 0, 8)
  area.write(Number(ref.readBigUInt64LE()) + 24, 0x1_ffff_ffffn)
  t.equal(reader.key('k').read(Buffer.alloc(100)), areaCodes.DAMAGED)
  t.equal(reader.snapshot(['k']), areaCodes.DAMAGED)
  t.equal(reader.snapshot({ prefix: '' }), areaCodes.DAMAGED)
})

t.test('a writer that never ends its block makes it busy, and no call endless', async (t) => {
  using area = damagedArea()
  using reader = area.attach()
  const ref = Buffer.alloc(8)
  area.mapping.read(4096 + 512 * 8, ref, 0, 8)
  area.write(Number(ref.readBigUInt64LE()), 0n)
  const key = reader.key('k')
  t.equal(key.read(Buffer.alloc(100)), areaCodes.BUSY)
  t.equal(key.isUnchanged(), false)
  t.equal(reader.keys(), areaCodes.BUSY)
  t.equal(reader.snapshot({ prefix: '' }), areaCodes.BUSY)
})

for (const seed of [1, 2, 3]) {
  t.test(`bytes that change at random, seed ${seed}: no crash, and every call ends`, async (t) => {
    const ended = runFixture('reads-a-damaged-area', [String(seed), '20000'])
    t.equal(ended.signal, null)
    t.equal(ended.status, 0, ended.errors)
    t.match(JSON.parse(ended.output), { calls: 20_000 })
    t.comment(ended.output)
  })
}
