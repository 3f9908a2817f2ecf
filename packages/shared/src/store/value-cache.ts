/**
 * The values that a reader caches, by key, limited in number and bytes. Values that were not read since the last round
 * are dropped first.
 */
import { STORE_LIMITS } from './limits.ts'
import type { StoredValue } from './stored-value.ts'

export interface CacheLimits {
  readonly values: number
  readonly bytes: number
}

const DEFAULTS: CacheLimits = { values: STORE_LIMITS.cachedValues.limit, bytes: STORE_LIMITS.cachedBytes.limit }

export class ValueCache {
  readonly #values = new Map<string, StoredValue>()
  readonly #limits: CacheLimits
  /** The oldest value comes next, by the time when it was added or got its second chance. */
  #oldest = this.#values.values()
  #bytes = 0

  constructor(limits: CacheLimits = DEFAULTS) {
    this.#limits = limits
  }

  /** Whether a value must be dropped for each one that is added. */
  get isFull(): boolean {
    return this.#values.size >= this.#limits.values
  }

  get(key: string): StoredValue | undefined {
    return this.#values.get(key)
  }

  /** Keeps a value; others go for it. */
  add(value: StoredValue): void {
    this.#values.set(value.name, value)
    this.#bytes += value.textBytes
    this.#shrink()
  }

  /** A value that is kept has been read, and has another size than before. */
  resized(value: StoredValue, bytesBefore: number): void {
    if (this.#values.get(value.name) !== value) return
    this.#bytes += value.textBytes - bytesBefore
    this.#shrink()
  }

  clear(): void {
    this.#values.clear()
    this.#oldest = this.#values.values()
    this.#bytes = 0
  }

  /** The last one stays, whatever it takes. */
  #shrink(): void {
    while (this.#values.size > 1 && (this.#values.size > this.#limits.values || this.#bytes > this.#limits.bytes)) {
      const oldest = this.#nextOldest()
      this.#values.delete(oldest.name)
      if (oldest.wasUsed) {
        oldest.wasUsed = false
        this.#values.set(oldest.name, oldest)
      } else this.#bytes -= oldest.textBytes
    }
  }

  /** By one iterator for all of them: a new one would walk over the places of all that have gone before. */
  #nextOldest(): StoredValue {
    let next = this.#oldest.next()
    if (next.done === true) {
      this.#oldest = this.#values.values()
      next = this.#oldest.next()
    }
    return next.value as StoredValue
  }
}
