/**
 * Which versions a store gives. No version is given twice under one name, even if the store's process dies and the next
 * one knows only the clock. So versions follow the clock, and an area is ahead of it only for a moment after it was made.
 *
 * - **Plain** versions fit into a number of JSON. They count eighths of a microsecond since 2026. One area of a store
 *   gives them, one after the other, as long as it does not make changes faster than that.
 * - **Far** versions lie above all plain ones, and there are a thousand times more of them for each moment. An area gets
 *   them in *stretches*; each stretch belongs to one moment. When a stretch is used up, the area takes another one and
 *   leaves out the versions in between. So no two areas of a store give the same version, and a new area gives higher
 *   versions than all areas before it, however often the rules bring keys together and part them again.
 */
import { LimitError } from '../util/errors.ts'
import { wallClock } from '../util/timers.ts'

/** The versions that an area may give. */
export interface Versions {
  /** The first one is above this one. */
  readonly after: bigint
  /** How many there are, besides a few that are left for retiring deleted keys. */
  readonly count: number
}

const BEGIN_MS = Date.UTC(2026, 0)
const PER_MILLISECOND = 8000
const PLAIN_END = 1n << 53n
/** The number of versions in a stretch: more than a change log has entries. */
const STRETCH = 1n << 20n
/** One stretch for each 128 microseconds: enough until 2061. */
const STRETCHES_PER_MILLISECOND = 1000 / 128
/** A version is a positive i64. */
const STRETCHES = ((1n << 63n) - PLAIN_END) / STRETCH
/** Not counted as available: what retiring deleted keys uses up. */
const LEFT_OVER = 8192
/** The plain versions of four milliseconds. No process ends, and another takes its name, so soon after it has begun. */
const PLAIN_AT_ONCE = 4 * PER_MILLISECOND

/** The last version and stretch that were given by this process, or that it knows to have been given. */
let lastPlain = 0n
let lastStretch = -1n

/** For a new area. No other area of its store may have plain versions, and no value in it may have a higher version. */
export function plainVersions(): Versions {
  lastPlain = atLeast(plainNow(), lastPlain + 1n)
  return { after: lastPlain, count: PLAIN_AT_ONCE }
}

/** For every other new area: above all versions that were given. @throws ERR_LIMIT in 2061, or if those are at the end */
export function farVersions(): Versions {
  const now = BigInt(Math.floor(sinceBegin() * STRETCHES_PER_MILLISECOND))
  // Never the very next stretch: more versions must be left out than a change log has entries.
  const stretch = atLeast(now, lastStretch + 2n)
  if (stretch >= STRETCHES) throw new LimitError('versions of a store', Number(STRETCHES), Number(stretch))
  lastStretch = stretch
  return { after: PLAIN_END + stretch * STRETCH, count: Number(STRETCH) - LEFT_OVER }
}

/** For an area that has used up its versions. @param last the version that it gave last */
export function moreVersions(last: bigint): Versions {
  const behind = isPlain(last) ? Number(plainNow() - last) : 0
  if (behind < 2 * LEFT_OVER) return farVersions()
  return { after: last, count: Math.min(behind - LEFT_OVER, Number(STRETCH)) }
}

/** Versions up to this one were given: later ones are above it, also if the clock is set back. */
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
