/**
 * Collections whose members come and go all the time. A Set or Map of V8's is a table, which leads to the table that took
 * its place when it was full. Once one of them has lived for a while, all that come after it, and what was in them when
 * they were full, live until the next major collection. So these begin anew before that gets long.
 */

/** So many may go before it begins anew, or as many as stay. */
const MOST_GONE = 16

export class TransientMap<K, V> {
  #entries = new Map<K, V>()
  #gone = 0

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.set(key, value)
  }

  /** @returns whether there was one */
  delete(key: K): boolean {
    if (!this.#entries.delete(key)) return false
    if (++this.#gone > Math.max(MOST_GONE, this.#entries.size)) {
      this.#entries = new Map(this.#entries)
      this.#gone = 0
    }
    return true
  }

  /** Of those that are there now, in the order in which they came: some may be gone when they are reached. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries.entries()
  }

  /** As the iterator. */
  keys(): IterableIterator<K> {
    return this.#entries.keys()
  }
}

export class TransientSet<T> {
  readonly #members = new TransientMap<T, true>()

  get size(): number {
    return this.#members.size
  }

  add(member: T): void {
    this.#members.set(member, true)
  }

  /** @returns whether it was one */
  delete(member: T): boolean {
    return this.#members.delete(member)
  }

  /** As of TransientMap. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#members.keys()
  }
}
