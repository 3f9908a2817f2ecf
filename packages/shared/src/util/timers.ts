/** Node's own timers and clock, even if a program has replaced the global ones. Timers run outside any async context. */
import process from 'node:process'
import { nodeTimers } from 'memfd-native'

export const { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = nodeTimers

/** Node's function at the time when this was loaded. It runs in the caller's context, because it ends in this turn. */
export const nextTick: (act: () => void) => void = process.nextTick

/** What setTimeout and setInterval can wait for, in milliseconds. */
export const LONGEST_WAIT_MS = 0x7fffffff

const { hrtime } = process

/** Milliseconds, of a clock that nobody sets. Not `performance.now()`: to load that takes Node a millisecond. */
export function now(): number {
  const time = hrtime() // not taken apart: before V8 has optimized that, an iterator and what it answers are made for it
  return time[0] * 1000 + time[1] / 1e6
}

/** Milliseconds since 1970, of the clock that people set. */
export const { now: wallClock } = Date
