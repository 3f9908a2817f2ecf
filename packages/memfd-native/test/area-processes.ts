/**
 * One process writes as fast as it can, this one reads: nothing is torn, nothing mixed, nothing goes back; also when the writer is
 * killed, and it is killed in the middle of something nearly always.
 */
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { type AreaReader, areaCodes } from '../src/index.ts'
import { leakChecked, numberOf, startWriting } from '../test-support/index.ts'

leakChecked(t)
const SIZES = [1024, 65_536]
const TRANSACTION = ['t0', 't1', 't2']

/** Reads it whole; answers its number, null when it is mixed, undefined when it was busy. */
function read(
  reader: AreaReader,
  name: string,
  target: Uint8Array,
): { number: number | null | undefined; version: bigint } {
  const key = reader.key(name)
  const count = key.read(target)
  const number = count >= 0 ? numberOf(target.subarray(0, count)) : undefined
  return { number, version: key.version }
}

t.test('no value is torn, and no version comes before one that was seen', async (t) => {
  await using writing = await startWriting(SIZES)
  const target = new Uint8Array(65_536)
  const counts = { read: 0, torn: 0, back: 0, versions: 0 }
  const last = [0n, 0n]
  while (counts.versions < 3000) {
    for (const [i, before] of last.entries()) {
      const { number, version } = read(writing.reader, `k${i}`, target)
      if (number === undefined) continue
      counts.read++
      if (number === null) counts.torn++
      if (version < before) counts.back++
      if (version > before) counts.versions++
      last[i] = version
    }
  }
  t.match(counts, { torn: 0, back: 0 })
  t.comment(counts)
})

t.test('the control: two halves read one after the other are mixed, unless of a wanted version', async (t) => {
  await using writing = await startWriting(SIZES)
  const key = writing.reader.key('k0')
  const whole = new Uint8Array(512)
  let mixed = 0
  let conflicts = 0
  while (mixed < 10 || conflicts < 10) {
    key.read(whole.subarray(0, 256))
    const { version } = key
    if (key.read(whole.subarray(256), 256) !== 256) continue
    if (numberOf(whole) === null) mixed++
    key.read(whole.subarray(0, 256))
    const { version: wanted } = key
    const count = key.read(whole.subarray(256), 256, wanted)
    if (count === areaCodes.CONFLICT) conflicts++
    else if (count === 256 && numberOf(whole) === null) t.fail(`mixed at ${version}`)
  }
  t.pass()
})

t.test('a loop that does nothing but look sees that a value has changed', async (t) => {
  await using writing = await startWriting(SIZES)
  const key = writing.reader.key('k0')
  let turns = 0
  for (let round = 0; round < 2000; round++) {
    key.read(null)
    while (key.isUnchanged()) turns++
  }
  t.pass(`${turns} turns`)
})

t.test('a snapshot is of one transaction, where single reads mix several', async (t) => {
  await using writing = await startWriting([64])
  const counts = { snapshots: 0, mixed: 0, singlesMixed: 0 }
  const target = new Uint8Array(64)
  while (counts.snapshots < 3000 || counts.singlesMixed < 3) {
    const which = counts.snapshots % 2 === 0 ? TRANSACTION : { prefix: 't' }
    const snapshot = writing.reader.snapshot(which)
    if (typeof snapshot === 'number') continue
    counts.snapshots++
    const numbers = new Set([...snapshot.values.values()].map(({ bytes }) => numberOf(bytes)))
    const versions = new Set([...snapshot.values.values()].map(({ version }) => version))
    if (snapshot.values.size !== 2 || numbers.size !== 1 || numbers.has(null) || versions.size !== 1) counts.mixed++
    const singles = TRANSACTION.map((name) => read(writing.reader, name, target).number)
    if (new Set(singles.filter((number) => number !== undefined)).size > 1) counts.singlesMixed++
  }
  t.equal(counts.mixed, 0)
  t.comment(counts)
})

t.test('a feed knows in the end what there is, however fast it was written', async (t) => {
  await using writing = await startWriting([64])
  const { reader } = writing
  using feed = reader.feed()
  const known = new Map<string, bigint>()
  const poll = () => {
    const polled = feed.poll()
    if (typeof polled === 'number') throw new Error(`the feed answered ${polled}`)
    for (const { key, version, hasValue } of polled.changes) {
      if (hasValue) known.set(key, version)
      else known.delete(key)
    }
    return polled.isComplete
  }
  const begin = reader.header.committed
  while (reader.header.committed < begin + 50_000n) poll()
  await writing.kill()
  while (!poll());
  const snapshot = reader.snapshot({ prefix: '' })
  if (typeof snapshot === 'number') throw new Error('nobody writes any more')
  const there = [...snapshot.values].map(([key, { version }]) => [key, version])
  t.same([...known].sort(), there.sort())
})

t.test('killed at any moment, the last committed values are there, whole, of one moment', async (t) => {
  const target = new Uint8Array(65_536)
  for (let round = 0; round < 12; round++) {
    await using writing = await startWriting(SIZES)
    const { reader } = writing
    await setTimeout(round * 3) // how far it gets is chance; whatever it was doing, the same must hold
    await writing.kill()
    for (const [i] of SIZES.entries()) t.type(read(reader, `k${i}`, target).number, 'number')
    const singles = TRANSACTION.map((name) => read(reader, name, target))
    const there = singles.filter(({ number }) => number !== undefined)
    t.equal(there.length, 2)
    t.equal(new Set(there.map(({ number }) => number)).size, 1)
    t.equal(new Set(there.map(({ version }) => version)).size, 1)
    t.same((reader.keys() as string[]).length, SIZES.length + 2)
    t.type(reader.snapshot({ prefix: '' }), 'object')
  }
})
