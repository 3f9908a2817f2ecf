/**
 * Where the versions of a store begin: at the wall clock, so that a store that begins again gives none that it has given before. They rise
 * by one for each change, and the clock must be faster than any process can change anything: so eighths of a microsecond. Those of the first
 * area, counted from 2026 on, are numbers that JSON can say. Areas of one store count in ranges of their own.
 */

/** Of each area of a store. */
const RANGE = 1n << 53n
const PER_MILLISECOND = 8000n
const BEGIN_MS = Date.UTC(2026, 0)

/** The last begin that was given in this process: two stores made in one moment begin apart. */
let last = 0n

/** @param range the number of the area in its store */
export function firstVersion(range: number): bigint {
  const now = BigInt(Math.max(Date.now() - BEGIN_MS, 1)) * PER_MILLISECOND
  last = now > last ? now : last + 1n
  return last + BigInt(range) * RANGE
}

/** A store of this process has given versions up to this one: the next one begins after it, also when the clock is set back. */
export function givenUpTo(version: bigint): void {
  const inRange = version % RANGE
  if (inRange > last) last = inRange
}
