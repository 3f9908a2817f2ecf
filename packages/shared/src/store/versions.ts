/**
 * Where the versions of a store begin: at the wall clock, in microseconds, so that a store that begins again gives none that it has
 * given before, and a number that JSON can say. Areas of one store count in ranges of their own.
 */

/** Of each area of a store, in microseconds: more than a century. */
const RANGE = 1n << 52n

/** The last begin that was given in this process: two stores made in one microsecond begin apart. */
let last = 0n

/** @param range the number of the area in its store */
export function firstVersion(range: number): bigint {
  const now = BigInt(Date.now()) * 1000n
  last = now > last ? now : last + 1n
  return last + BigInt(range) * RANGE
}

/** A store of this process has given versions up to this one: the next one begins after it, also when the clock is set back. */
export function givenUpTo(version: bigint): void {
  const inRange = version % RANGE
  if (inRange > last) last = inRange
}
