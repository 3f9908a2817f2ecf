/** What an area takes of the memory: it follows what is in it, down too; and readers follow the area. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MoveReasons } from '../../src/store/area-move.ts'
import { OwnedArea } from '../../src/store/owned-area.ts'
import { leakChecked, MIB, publishedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const JSON_TYPE = 2
const KIB = 1024

/** xorshift32, 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

function ratioOf({ stats }: { stats: { allocatedBytes: number; valueBytes: number } }): number {
  return stats.allocatedBytes / stats.valueBytes
}

t.test('values whose sizes change for long take less than twice their bytes', async (t) => {
  const { owner, store } = await publishedStore(t, { capacity: 64 * MIB, maxKeys: 16_384 })
  const random = randomFrom(1)
  const bytes = Buffer.alloc(64 * KIB, 1)
  const [keys, puts] = [4000, 250_000]
  let worst = 0
  for (let i = 0; i < puts; i++) {
    const which = Math.floor(random() * keys)
    const phase = (4 * Math.PI * i) / puts + (which % 2) * Math.PI
    const usual = 300 * 2 ** (2 * Math.sin(phase)) * Math.exp(2 * (random() + random() + random() - 1.5))
    const size = Math.min(Math.floor(random() < 0.01 ? 60 * usual : usual) + 1, bytes.length)
    if (random() < 0.02) owner.delete(`k${which}`)
    owner.set(`k${which}`, bytes.subarray(0, size))
    if (i > 10 * keys && i % 500 === 0) worst = Math.max(worst, ratioOf(owner))
  }
  t.comment(`at the worst ${worst.toFixed(2)}`)
  t.ok(worst < 2, `${worst}`)
  for (const key of owner.keys()) {
    t.equal((store.get(key) as Uint8Array).length, (owner.get(key) as Uint8Array).length)
  }
  t.equal(store.size, owner.keys().length)
})

t.test('memory that values have left is given back', async (t) => {
  const { owner, store } = await publishedStore(t, { capacity: 64 * MIB })
  for (let i = 0; i < 32; i++) owner.set(`large${i}`, Buffer.alloc(MIB, i))
  const before = owner.stats.allocatedBytes
  for (let i = 1; i < 32; i++) owner.delete(`large${i}`)
  for (let i = 0; owner.stats.allocatedBytes > 3 * MIB && i < 100_000; i++) owner.set(`k${i % 100}`, 'x'.repeat(1000))
  t.ok(before >= 32 * MIB)
  t.ok(owner.stats.allocatedBytes <= 3 * MIB, `${owner.stats.allocatedBytes}`)
  t.equal((store.get('large0') as Uint8Array).length, MIB)
  t.equal(store.get('k7'), 'x'.repeat(1000))
})

t.test('more keys than a reader keeps are read as they are, each time', async (t) => {
  const { owner, store } = await publishedStore(t, { capacity: 16 * MIB, maxKeys: 16_384 })
  const keys = Array.from({ length: 10_500 }, (_, i) => `k${i}`)
  const target = Buffer.alloc(8)
  const readAll = (): number =>
    keys.filter((key) => store.readBytes(key, target) === key.length && isStart(target, key)).length
  for (const key of keys) owner.set(key, Buffer.from(key))
  for (let round = 0; round < 2; round++) t.equal(readAll(), keys.length)
  t.equal(store.readBytes('none', target), -1)
  owner.resize({ capacity: 32 * MIB })
  owner.delete('k10499')
  owner.set('k3', Buffer.from('new'))
  t.equal(readAll(), keys.length - 2)
  t.equal(store.readBytes('k3', target), 3)
  t.equal(store.readBytes('k10499', target), -1)
  t.throws(() => store.readBytes('\n', target), { code: 'ERR_INVALID_ARG_VALUE' })
})

function isStart(bytes: Buffer, text: string): boolean {
  return bytes.toString('latin1', 0, text.length) === text
}

/** An area that is not a store's. */
function ownArea(t: Test, capacity: number, maxKeys = 4096): OwnedArea {
  const area = new OwnedArea(
    { patterns: ['*'], capacity, maxKeys, versions: { after: 0n, count: 2 ** 40 } },
    () => undefined,
  )
  t.teardown(() => area.close())
  return area
}

t.test('an upload that is under way does not lose its place', (t) => {
  const area = ownArea(t, 32 * MIB)
  const value = Buffer.alloc(256 * KIB)
  for (let i = 0; i < 40; i++) area.put(`k${i}`, JSON_TYPE, value)
  const block = area.reserve(3, JSON_TYPE)
  for (let i = 1; i < 40; i++) area.commit([{ key: `k${i}`, type: 0, bytes: null, block: 0 }])
  for (let i = 0; i < 5000; i++) area.put('k0', JSON_TYPE, value.subarray(0, KIB))
  t.equal(area.moves, 0)
  area.write(block, 0, Buffer.from('"a"'))
  area.commit([{ key: 'upload', type: JSON_TYPE, bytes: null, block }])
  t.equal(area.moves, 0)
  for (let i = 0; i < 5000; i++) area.put('k0', JSON_TYPE, value.subarray(0, KIB))
  t.equal(area.moves, 1)
  t.equal(area.reader.keys().toString(), 'k0,upload')
  t.end()
})

/** Many bytes, of which a third is free, and much has been written. Answers how many keys there are. */
function wasteful(area: OwnedArea): number {
  const value = Buffer.alloc(48 * KIB)
  let keys = 0
  while (area.stats.usedBytes < 24 * MIB) area.put(`k${keys++}`, JSON_TYPE, value)
  const { allocatedBytes } = area.stats
  while (area.stats.usedBytes * 1.55 > allocatedBytes) {
    area.commit([{ key: `k${--keys}`, type: 0, bytes: null, block: 0 }])
  }
  for (let i = 0; i < 3 * keys; i++) area.put(`k${i % keys}`, JSON_TYPE, value)
  return keys
}

t.test('a large area moves in a later turn, when its memory is ready', async (t) => {
  const area = ownArea(t, 64 * MIB)
  const keys = wasteful(area)
  t.equal(area.moves, 0)
  while (area.moves === 0) await nextTurn()
  t.ok(area.stats.allocatedBytes < 1.2 * area.stats.usedBytes)
  t.equal((area.reader.keys() as string[]).length, keys)
})

t.test('an area that is closed while it prepares a move leaves nothing behind', async (t) => {
  const area = new OwnedArea(
    { patterns: ['*'], capacity: 64 * MIB, maxKeys: 4096, versions: { after: 0n, count: 2 ** 40 } },
    () => undefined,
  )
  wasteful(area)
  t.equal(area.moves, 0)
  area.close()
  for (let turns = 0; turns < 20; turns++) await nextTurn()
})

/** Keys whose hashes are the same as far as an index of 2^14 slots looks at them. FNV-1a, of which low bits need low bits only. */
function keysAlike(epoch: bigint, count: number): string[] {
  const mask = 2 ** 14 - 1
  const begin = Number((0xcbf29ce484222325n ^ epoch) & BigInt(mask))
  const found: string[] = []
  for (let i = 0; found.length < count; i++) {
    const key = i.toString(36)
    let hash = begin
    for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x1b3) & mask
    if (hash === 7) found.push(key)
  }
  return found
}

t.test('keys that are made to collide shut out no other keys', (t) => {
  const area = ownArea(t, 32 * MIB)
  const { epoch } = area.reader.header
  const alike = keysAlike(epoch, 1000)
  for (const key of alike) area.put(key, JSON_TYPE, Buffer.from('1'))
  t.not(area.reader.header.epoch, epoch, 'another hash')
  t.equal((area.reader.keys() as string[]).length, alike.length)
  for (const key of alike) t.equal(area.reader.key(key).read(null) >= 0, true)
  t.end()
})

t.test('another hash costs as little as other moves: by what was written, or once in ten seconds', (t) => {
  let clock = 0
  const reasons = new MoveReasons(() => clock)
  t.equal(reasons.mayHashAnew(32 * MIB), true, 'the first time')
  reasons.moved()
  for (const [after, may] of [
    [9_999, false],
    [10_000, true],
  ] as const) {
    clock = after
    t.equal(reasons.mayHashAnew(32 * MIB), may, `${after} ms`)
  }
  clock = 0
  reasons.isTimeToLook(4 * MIB - 1)
  t.equal(reasons.mayHashAnew(32 * MIB), false)
  reasons.isTimeToLook(1)
  t.equal(reasons.mayHashAnew(32 * MIB), true)
  t.end()
})

t.test('an area with many readers moves less often', (t) => {
  const stats = { allocatedBytes: 16 * MIB, usedBytes: 4 * MIB, reservedBlocks: 0 } as OwnedArea['stats']
  const reasons = new MoveReasons()
  for (let i = 0; i < 1000; i++) reasons.handedOut()
  reasons.isTimeToLook(10 * MIB)
  t.equal(reasons.look(stats), null)
  reasons.isTimeToLook(30 * MIB)
  t.equal(reasons.look(stats), 'now')
  t.equal(reasons.look({ ...stats, reservedBlocks: 1 }), null, 'an upload is under way')
  t.end()
})

t.test('a move of which nothing is left when it is paid is made less and less often, until more is wasted', (t) => {
  const stats = { allocatedBytes: 5 * MIB, usedBytes: MIB, reservedBlocks: 0 } as OwnedArea['stats']
  const reasons = new MoveReasons()
  const writtenUntilMove = (now: OwnedArea['stats'], most = 10_000) => {
    for (let written = 1; written <= most; written++) {
      reasons.isTimeToLook(MIB)
      if (reasons.look(now) === null) continue
      reasons.moved()
      return written
    }
    return most
  }
  t.same(
    Array.from({ length: 10 }, () => writtenUntilMove(stats)),
    [5, 5, 5, 9, 18, 36, 72, 144, 288, 288],
  )
  t.equal(writtenUntilMove({ ...stats, allocatedBytes: 7 * MIB }), 6, 'more is wasted')
  t.equal(writtenUntilMove({ ...stats, allocatedBytes: MIB }, 20), 20)
  t.equal(writtenUntilMove(stats), 1, 'the waste came slowly')
  t.equal(writtenUntilMove(stats), 5)
  t.end()
})
