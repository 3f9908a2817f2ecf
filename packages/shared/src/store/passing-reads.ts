/**
 * Reads of more keys than are kept. Only some of what is read is kept then, in place of others. And to look for a key among what is kept
 * takes longer than to read a few bytes: when many in a row were not there, only some are looked for.
 */
import type { ValueCache } from './value-cache.ts'

/** One in so many is looked for in any case, and kept. Whatever is read again and again is soon among them. */
const KEPT = 64
/** In a row. */
const MANY = 64

export class PassingReads {
  #reads = 0
  /** In a row, of those that were looked for. */
  #missed = 0

  /** Whether this read of a key, while there is no room for another one, leaves what is kept as it is, and is not of that. */
  isPassing(key: string, cache: ValueCache): boolean {
    this.#reads = (this.#reads + 1) % KEPT
    const isKept = this.#reads === 0
    if (!isKept && this.#missed >= MANY) return true
    const isThere = cache.get(key) !== undefined
    this.#missed = isThere ? 0 : Math.min(this.#missed + 1, MANY)
    return !isThere && !isKept
  }
}
