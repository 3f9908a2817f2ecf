/** Random numbers that a seed repeats (mulberry32). */
import type { Test } from 'tap'

export interface SeededRandom {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number
}

/** A generator for one test; the seed is MEMSVC_SEED or the clock, and is printed so that a failure can be repeated. */
export function seededRandom(t: Test): SeededRandom {
  const seed = Number(process.env.MEMSVC_SEED ?? Date.now()) >>> 0
  t.comment(`MEMSVC_SEED=${seed}`)
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { int: (below) => Math.floor(next() * below) }
}
