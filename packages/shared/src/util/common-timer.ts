/**
 * One timer for all who wait a while for something that mostly comes at once: a timer for each would cost a fifth of a call. It
 * keeps nobody alive.
 */
import { clearTimeout, now as clock, LONGEST_WAIT_MS, nextTick, setTimeout } from './timers.ts'

/** Of one who is not registered. */
export const NOWHERE = -1

/** One who waits until a moment. */
export interface Expiring {
  /** In milliseconds, by `now()`. */
  readonly at: number
  /** NOWHERE at first. The timer's from then on. */
  place: number
  /** Its time is over, and it is not registered any more. */
  expire(): void
}

/**
 * The first `count`, in no order: the last one takes the place of one that goes. A Set with frequent changes leaves
 * garbage, and an array that becomes empty frees its memory and must allocate it again.
 */
const all: (Expiring | undefined)[] = []
let count = 0
let timer: NodeJS.Timeout | undefined
/** When the timer comes; there may be nobody left for it then. */
let timerAt = Number.POSITIVE_INFINITY

/** Until `expireNoMore`, or its moment. */
export function expireInTime(one: Expiring): void {
  one.place = count++
  all[one.place] = one
  if (one.at < timerAt) schedule(one.at)
}

/** Again is harmless. */
export function expireNoMore(one: Expiring): void {
  const { place } = one
  if (place === NOWHERE) return
  one.place = NOWHERE
  count -= 1
  const last = all[count] as Expiring
  all[count] = undefined
  if (last === one) return
  all[place] = last
  last.place = place
}

function schedule(at: number): void {
  clearTimeout(timer)
  timerAt = at
  timer = setTimeout(look, Math.min(Math.max(Math.ceil(at - clock()), 1), LONGEST_WAIT_MS)).unref()
}

function look(): void {
  timerAt = Number.POSITIVE_INFINITY
  const now = clock()
  for (const one of waiting()) if (one.at <= now && one.place !== NOWHERE) expire(one)
  const next = waiting().reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
  if (next < timerAt) schedule(next)
}

function waiting(): Expiring[] {
  return all.slice(0, count) as Expiring[]
}

function expire(one: Expiring): void {
  expireNoMore(one)
  try {
    one.expire()
  } catch (error) {
    nextTick(() => {
      throw error
    })
  }
}
