/**
 * Where the versions of a store begin: at the wall clock, so that a store that begins again gives none that it has given before. They rise
 * by one for each change, and the clock must be faster than any process can change anything: so eighths of a microsecond. Those of the first
 * area, counted from 2026 on, are numbers that JSON can say. Areas of one store count in ranges of their own.
 */
import { LimitError } from '../util/errors.ts'
import { wallClock } from '../util/timers.ts'

/** Of each area of a store. */
const RANGE = 1n << 53n
const PER_MILLISECOND = 8000n
const BEGIN_MS = Date.UTC(2026, 0)
/** A version is a positive i64. */
const RANGES = 1024

/** The last begin that was given in this process: two stores made in one moment begin apart. */
let last = 0n

/** @param range 0 to 1023 */
export function firstVersion(range: number): bigint {
  const now = BigInt(Math.max(wallClock() - BEGIN_MS, 1)) * PER_MILLISECOND
  last = now > last ? now : last + 1n
  return last + BigInt(range) * RANGE
}

/** A store of this process has given versions up to this one: the next one begins after it, also when the clock is set back. */
export function givenUpTo(version: bigint): void {
  const inRange = version % RANGE
  if (inRange > last) last = inRange
}

export function rangeOf(version: bigint): number {
  return Number(version / RANGE)
}

/**
 * A range for each of several areas, no two the same, none below what the versions in it need. The lowest that will do, so that
 * areas of a store that is rearranged again and again climb only where keys that were changed in one area go to several: each has a range
 * above what it had, or the same, and no two have the same.
 *
 * @param needed of each area the highest range of a version that goes there
 * @throws ERR_LIMIT there are no more ranges
 */
export function rangesFor(needed: readonly number[], taken: readonly number[] = []): number[] {
  const used = new Set(taken)
  const ranges: number[] = needed.map(() => 0)
  const highestFirst = needed.map((_, area) => area).sort((a, b) => (needed[b] as number) - (needed[a] as number))
  for (const area of highestFirst) {
    let range = needed[area] as number
    while (used.has(range)) range += 1
    if (range >= RANGES) throw new LimitError('ranges of versions of a store', RANGES, range + 1)
    used.add(range)
    ranges[area] = range
  }
  return ranges
}
