import { setTimeout as delay } from 'node:timers/promises'

export const TITLE =
  'values of an area beside a writer that is never idle: torn, mixed, and what is left of it after kill -9'
export const DEFAULTS = { reads: 10_000_000, large: 500_000, snapshots: 1_000_000, kills: 1000 }

const SIZES = [1024, 65_536]
const KEYS = ['t0', 't1', 't2']
/** The writer is killed at some moment of so many milliseconds. */
const LIFETIME_MS = 40

/** The writer of memfd-native's own tests, and how its values are looked at. */
const compiled = (name) => import(new URL(`../../memfd-native/dist/${name}.js`, import.meta.url).href)
const { startWriting } = await compiled('test-support/area-child')
const { areaCodes } = await compiled('src/index')
const { numberOf } = await compiled('test-support/area')

export async function run(_scope, { reads, large, snapshots, kills }) {
  return [
    await wholeReads('reads of 1 KiB', 'k0', reads),
    await wholeReads('reads of 64 KiB', 'k1', large),
    ...(await moments(snapshots)),
    await deaths(kills),
  ]
}

function wholeReads(what, name, wanted) {
  return beside(SIZES, ({ reader }) => readAll(reader, { what, name, wanted }))
}

function readAll(reader, { what, name, wanted }) {
  const key = reader.key(name)
  const target = new Uint8Array(65_536)
  const seen = { reads: 0, whole: 0, versions: 0, busy: 0 }
  let last = 0n
  while (seen.reads < wanted) {
    const count = key.read(target)
    if (count === areaCodes.BUSY) seen.busy++
    if (count < 0) continue
    seen.reads++
    const { version } = key
    if (numberOf(target.subarray(0, count)) !== null && version >= last) seen.whole++
    if (version > last) seen.versions++
    last = version
  }
  const note = `${seen.versions.toLocaleString('en-US')} versions; given up ${seen.busy} times`
  return { what: `${what}, whole and never of an older version`, attempted: seen.reads, survived: seen.whole, note }
}

function moments(wanted) {
  return beside([64], ({ reader }) => snapshotAll(reader, wanted))
}

function snapshotAll(reader, wanted) {
  const target = new Uint8Array(64)
  let [taken, whole, mixed] = [0, 0, 0]
  while (taken < wanted) {
    const snapshot = reader.snapshot(KEYS)
    if (typeof snapshot === 'number') continue
    taken++
    const values = [...snapshot.values.values()]
    if (values.length === 2 && new Set(values.map(({ bytes }) => numberOf(bytes))).size === 1) whole++
    const singles = KEYS.map((name) => numberOf(target.subarray(0, Math.max(reader.key(name).read(target), 0))))
    if (new Set(singles.filter((number) => number !== null)).size > 1) mixed++
  }
  const note = `the control: of the same keys read one by one ${mixed.toLocaleString('en-US')} were mixed`
  return [
    { what: 'snapshots of three keys, of one transaction', attempted: taken, survived: whole, note },
    { what: 'the control sees what is mixed', attempted: 1, survived: Math.min(mixed, 1) },
  ]
}

async function deaths(wanted) {
  let right = 0
  for (let round = 0; round < wanted; round++) {
    right += await beside(SIZES, async ({ reader, kill }) => {
      await delay((round * 7) % LIFETIME_MS)
      await kill()
      return Number(isOneMoment(reader))
    })
  }
  return {
    what: 'kill -9 of the writer, after which all is there, whole and of one moment',
    attempted: wanted,
    survived: right,
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
