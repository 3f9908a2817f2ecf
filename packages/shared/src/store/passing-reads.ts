/**
 * Reads of more keys than the cache holds. Then only some of the values are cached, in place of others. Searching the
 * cache takes longer than reading a few bytes, so after many misses in a row only some keys are searched.
 */
import type { ValueCache } from './value-cache.ts'

/** One in so many is looked for in any case, and kept. Whatever is read again and again is soon among them. */
const KEPT = 256
/** In a row. */
const MANY = 64

export class PassingReads {
  #reads = 0
  /** In a row, of those that were looked for. */
  #missed = 0

  /** Whether this read bypasses the cache while it is full. */
  isPassing(key: string, cache: ValueCache): boolean {
    this.#reads = (this.#reads + 1) % KEPT
    const isKept = this.#reads === 0
    if (!isKept && this.#missed >= MANY) return true
    const isThere = cache.get(key) !== undefined
    this.#missed = isThere ? 0 : Math.min(this.#missed + 1, MANY)
    return !isThere && !isKept
  }
}
