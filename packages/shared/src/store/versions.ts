/**
 * Which versions a store gives. Each is given once under its name, and a store that begins again knows only the clock: so no area is ever
 * ahead of it by more than the moment in which it was made.
 *
 * - **Plain** ones are numbers that JSON can say: eighths of a microsecond since 2026. One area of a store gives them, one after the other,
 *   as long as it is slower than that.
 * - **Far** ones lie above all of those, and there are a thousand times more of them for each moment. They are given in stretches: who
 *   takes one has a moment for itself, takes the next one when it is used up, and leaves out what lies between. So areas of one store have
 *   nothing in common, and each is above all that was given before, however often keys come together and part again.
 */
import { LimitError } from '../util/errors.ts'
import { wallClock } from '../util/timers.ts'

/** What an area may give. */
export interface Versions {
  /** They come after this one. */
  readonly after: bigint
  /** So many. A few more are left for what takes some beside a change (retiring). */
  readonly count: number
}

const BEGIN_MS = Date.UTC(2026, 0)
const PER_MILLISECOND = 8000
const PLAIN_END = 1n << 53n
/** A stretch of far ones. It is longer than any change log. */
const STRETCH = 1n << 20n
/** One in each 128 microseconds, until 2061. */
const STRETCHES_PER_MILLISECOND = 1000 / 128
/** A version is a positive i64. */
const STRETCHES = ((1n << 63n) - PLAIN_END) / STRETCH
const LEFT_OVER = 8192
/** As the clock has them in four milliseconds: no process is gone, and its name another's, so soon after it has begun. */
const PLAIN_AT_ONCE = 4 * PER_MILLISECOND

/** The last ones that were given in this process, or known to be. */
let lastPlain = 0n
let lastStretch = -1n

/** Of an area that is made: no other of its store may have plain ones, and nothing in it be above them. */
export function plainVersions(): Versions {
  lastPlain = atLeast(plainNow(), lastPlain + 1n)
  return { after: lastPlain, count: PLAIN_AT_ONCE }
}

/** Above all that was given. @throws ERR_LIMIT in 2061; or a version of before was close to the end */
export function farVersions(): Versions {
  const now = BigInt(Math.floor(sinceBegin() * STRETCHES_PER_MILLISECOND))
  // Never the next one: what is left out must be longer than a change log.
  const stretch = atLeast(now, lastStretch + 2n)
  if (stretch >= STRETCHES) throw new LimitError('versions of a store', Number(STRETCHES), Number(stretch))
  lastStretch = stretch
  return { after: PLAIN_END + stretch * STRETCH, count: Number(STRETCH) - LEFT_OVER }
}

/** Of an area that has used up what it had, and has given this one last. */
export function moreVersions(last: bigint): Versions {
  const behind = isPlain(last) ? Number(plainNow() - last) : 0
  if (behind < 2 * LEFT_OVER) return farVersions()
  return { after: last, count: Math.min(behind - LEFT_OVER, Number(STRETCH)) }
}

/** Versions up to this one were given: the next ones come after it, also when the clock is set back. */
export function givenUpTo(version: bigint): void {
  if (isPlain(version)) lastPlain = atLeast(lastPlain, version)
  else lastStretch = atLeast(lastStretch, (version - PLAIN_END) / STRETCH)
}

export function isPlain(version: bigint): boolean {
  return version < PLAIN_END
}

function plainNow(): bigint {
  return BigInt(sinceBegin() * PER_MILLISECOND)
}

function sinceBegin(): number {
  return Math.max(Math.floor(wallClock()) - BEGIN_MS, 1)
}

function atLeast(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
