/**
 * Collections whose members change all the time. When a Set or Map of V8 is full, its table is replaced, and the old
 * table leads to the new one. After one table has lived for a while, all its successors and their old members live
 * until the next major collection. So these collections start again with a new table before that gets long.
 */

/** How many members may go before it starts again, or as many as stay. */
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

  /** The current members, in the order in which they were added. Some may be gone when they are reached. */
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
