import { setTimeout as delay } from 'node:timers/promises'
import { Progress } from './lib/progress.mjs'

export const TITLE =
  'values of an area beside a writer that is never idle: torn, mixed, and what is left of it after kill -9; goes on where it was stopped'
export const DEFAULTS = { reads: 10_000_000, large: 500_000, snapshots: 1_000_000, kills: 1000 }

const SIZES = [1024, 65_536]
const KEYS = ['t0', 't1', 't2']
/** The writer is killed at some moment of so many milliseconds. */
const LIFETIME_MS = 40
/** Between two notes of what was counted. */
const READS_AT_ONCE = 200_000
const KILLS_AT_ONCE = 10

/** The writer of memfd-native's own tests, and how its values are looked at. */
const compiled = (name) => import(new URL(`../../memfd-native/dist/${name}.js`, import.meta.url).href)
const { startWriting } = await compiled('test-support/area-child')
const { areaCodes } = await compiled('src/index')
const { numberOf } = await compiled('test-support/area')

export async function run(_scope, options) {
  const progress = new Progress('area-values', options)
  const { reads, large, snapshots, kills } = options
  const rows = [
    await wholeReads(progress, { what: 'reads of 1 KiB', name: 'k0', wanted: reads }),
    await wholeReads(progress, { what: 'reads of 64 KiB', name: 'k1', wanted: large }),
    ...(await moments(progress, snapshots)),
    await deaths(progress, kills),
  ]
  progress.end()
  return rows
}

async function wholeReads(progress, { what, name, wanted }) {
  const counts = progress.of(what, { reads: 0, whole: 0, versions: 0, busy: 0 })
  while (counts.reads < wanted) {
    const until = Math.min(counts.reads + READS_AT_ONCE, wanted)
    await beside(SIZES, ({ reader }) => readAll(reader.key(name), { counts, until }))
    progress.save(what, counts)
  }
  const note = `${counts.versions.toLocaleString('en-US')} versions; given up ${counts.busy} times`
  return { what: `${what}, whole and never of an older version`, attempted: counts.reads, survived: counts.whole, note }
}

function readAll(key, { counts, until }) {
  const target = new Uint8Array(65_536)
  let last = 0n
  while (counts.reads < until) {
    const count = key.read(target)
    if (count === areaCodes.BUSY) counts.busy++
    if (count < 0) continue
    counts.reads++
    const { version } = key
    if (isWhole(target, count) && version >= last) counts.whole++
    if (version > last) counts.versions++
    last = version
  }
}

/** Int32s that are all the same. */
function isWhole(bytes, length) {
  const words = new Int32Array(bytes.buffer, 0, length / 4)
  const [first] = words
  for (let i = 1; i < words.length; i++) if (words[i] !== first) return false
  return true
}

async function moments(progress, wanted) {
  const counts = progress.of('snapshots', { taken: 0, whole: 0, mixed: 0 })
  while (counts.taken < wanted) {
    const until = Math.min(counts.taken + READS_AT_ONCE / 10, wanted)
    await beside([64], ({ reader }) => snapshotAll(reader, { counts, until }))
    progress.save('snapshots', counts)
  }
  const { taken, whole, mixed } = counts
  const note = `the control: of the same keys read one by one ${mixed.toLocaleString('en-US')} were mixed`
  return [
    { what: 'snapshots of three keys, of one transaction', attempted: taken, survived: whole, note },
    { what: 'the control sees what is mixed', attempted: 1, survived: Math.min(mixed, 1) },
  ]
}

function snapshotAll(reader, { counts, until }) {
  const target = new Uint8Array(64)
  while (counts.taken < until) {
    const snapshot = reader.snapshot(KEYS)
    if (typeof snapshot === 'number') continue
    counts.taken++
    const values = [...snapshot.values.values()]
    if (values.length === 2 && new Set(values.map(({ bytes }) => numberOf(bytes))).size === 1) counts.whole++
    const singles = KEYS.map((name) => numberOf(target.subarray(0, Math.max(reader.key(name).read(target), 0))))
    if (new Set(singles.filter((number) => number !== null)).size > 1) counts.mixed++
  }
}

async function deaths(progress, wanted) {
  const counts = progress.of('kills', { killed: 0, right: 0 })
  while (counts.killed < wanted) {
    await beside(SIZES, async ({ reader, kill }) => {
      await delay((counts.killed * 7) % LIFETIME_MS)
      await kill()
      counts.killed++
      counts.right += Number(isOneMoment(reader))
    })
    if (counts.killed % KILLS_AT_ONCE === 0) progress.save('kills', counts)
  }
  return {
    what: 'kill -9 of the writer, after which all is there, whole and of one moment',
    attempted: counts.killed,
    survived: counts.right,
  }
}

function isOneMoment(reader) {
  const snapshot = reader.snapshot({ prefix: '' })
  if (typeof snapshot === 'number' || snapshot.values.size !== SIZES.length + 2) return false
  const numbers = [...snapshot.values].map(([name, { bytes }]) => [name, numberOf(bytes)])
  const together = new Set(numbers.filter(([name]) => name.startsWith('t')).map(([, number]) => number))
  return numbers.every(([, number]) => number !== null) && together.size === 1
}

/** A writer in a process of its own, for as long as `act` takes. */
async function beside(sizes, act) {
  const writing = await startWriting(sizes)
  try {
    return await act(writing)
  } finally {
    await writing[Symbol.asyncDispose]()
  }
}
