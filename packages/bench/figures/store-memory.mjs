import { OwnedStore } from '@memsvc/shared'
import { AreaReader, AreaWriter, areaTypes } from 'memfd-native'

export const TITLE = 'what values take of the memory: by key, to attach, and after a week of puts of changing sizes'
/** `seconds`: the puts end then, and it says how far they came. */
export const DEFAULTS = { puts: 100_000_000, seconds: 3600 }

const MIB = 1024 * 1024
/** By the contract of the store. */
const MAX_BYTES_PER_KEY = 450
const MAX_ATTACH_RATIO = 1.5
const MAX_CHURN_RATIO = 2
const KEYS = 10_000
const ENTRY_BYTES = 64

export async function run(scope, { puts, seconds }) {
  const [one, many] = [areaOf(1), areaOf(KEYS)]
  const store = new OwnedStore({ capacity: 256 * MIB, maxKeys: 65_536 })
  scope.teardown(() => {
    for (const each of [one, many, store]) each.close()
  })
  return [bytesPerKey(many), attaching(one, many), churn(store, { puts, seconds })]
}

function verdict(what, number, limit, note) {
  return { what: `${what}: at most ${limit}`, attempted: 1, survived: Number(number <= limit), note }
}

function areaOf(count) {
  const writer = AreaWriter.create({ capacity: 16 * MIB, maxKeys: 2 * KEYS })
  const value = Buffer.alloc(256, 1)
  for (let i = 0; i < count; i++) writer.put(`k${i}`, areaTypes.BYTES, value)
  return writer
}

function bytesPerKey({ stats }) {
  const each = (stats.usedBytes + stats.freeBytes + stats.entries * ENTRY_BYTES) / stats.keys
  return verdict('bytes for a key with 256 bytes, of 10,000', each, MAX_BYTES_PER_KEY, each.toFixed(0))
}

/** Their medians, one in turn with the other. */
function attaching(one, many) {
  const took = { one: [], many: [] }
  for (let round = 0; round < 2000; round++) {
    took.one.push(attachTo(one))
    took.many.push(attachTo(many))
  }
  const [first, second] = [took.one, took.many].map((times) => times.sort((a, b) => a - b)[times.length / 2])
  const note = `${(second * 1000).toFixed(1)} µs against ${(first * 1000).toFixed(1)} µs with one key: ${(second / first).toFixed(2)} times`
  return verdict('to attach and read one of 10,000 keys, in times of one key', second / first, MAX_ATTACH_RATIO, note)
}

function attachTo(writer) {
  const fd = writer.share()
  const target = new Uint8Array(256)
  const begin = performance.now()
  const reader = AreaReader.attach(fd)
  reader.key('k0').read(target)
  const took = performance.now() - begin
  reader.close()
  fd.close()
  return took
}

/**
 * 4,000 keys, of which one in fifty puts deletes one for another one with a new name. Most values are small, some are of 60 KiB. In the
 * course of a day those of one half grow to sixteen times of what they were, and those of the other half shrink.
 */
function churn(store, { puts, seconds }) {
  const bytes = Buffer.alloc(64 * 1024, 1)
  const random = randomFrom(1)
  const day = Math.max(Math.floor(puts / 7), 1)
  let [worst, names] = [0, 0]
  const keys = Array.from({ length: 4000 }, () => `k${names++}`)
  const end = performance.now() + seconds * 1000
  let i = 0
  for (; i < puts; i++) {
    if (i % 10_000 === 0 && performance.now() > end) break
    const which = Math.floor(random() * keys.length)
    if (random() < 0.02) {
      store.delete(keys[which])
      keys[which] = `k${names++}`
    }
    const phase = (2 * Math.PI * i) / day + (which % 2) * Math.PI
    const usual = 300 * 2 ** (2 * Math.sin(phase))
    store.set(keys[which], bytes.subarray(0, sizeAround(usual, random)))
    // From when each key was put once.
    if (i > 20 * keys.length && i % 10_000 === 0) worst = Math.max(worst, ratioOf(store))
  }
  const note = `at the worst, ${ratioOf(store).toFixed(2)} in the end; ${i.toLocaleString('en-US')} of ${puts.toLocaleString('en-US')} puts`
  return verdict('bytes of the area for a byte of values', worst, MAX_CHURN_RATIO, `${worst.toFixed(2)} ${note}`)
}

function ratioOf({ stats }) {
  return stats.allocatedBytes / stats.valueBytes
}

function sizeAround(usual, random) {
  const size = usual * Math.exp(2 * (random() + random() + random() - 1.5))
  return Math.min(Math.floor(random() < 0.01 ? 60 * size : size) + 1, 64 * 1024)
}

/** xorshift32, 0 to 1. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
