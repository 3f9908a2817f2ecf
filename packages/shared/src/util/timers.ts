/** Timers and the clock, as Node has them: whatever a program makes of the global ones, and in nobody's async context. */
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { nodeTimers } from 'memfd-native'

export const { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = nodeTimers

/** As it was when this was loaded. In the context of whoever calls it: it is over in this turn. */
export const nextTick: (act: () => void) => void = process.nextTick

/** Milliseconds, of a clock that nobody sets. */
export const now: () => number = performance.now.bind(performance)

/** Milliseconds since 1970, of the clock that people set. */
export const { now: wallClock } = Date
