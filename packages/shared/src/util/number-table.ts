/**
 * A table of things by their number, for things that peers add and remove all the time. A Map allocates whenever it
 * grows or shrinks, and its old tables lead to the new ones: megabytes of garbage that last until a major collection.
 * This is an array with open addressing. A removed entry is filled with a later one, so it leaves no garbage.
 */

/** What can be in a table. */
export interface Numbered {
  /** An unsigned 32-bit integer, of the peer's choice. */
  readonly number: number
}

/** Places of the smallest array: a power of 2. */
const FEW = 8
/** Odd, at random: a peer that chooses numbers cannot choose where they come to lie. */
const FACTOR = Math.floor(Math.random() * 2 ** 31) * 2 + 1

/** Of all tables that are empty: most are, for ever. */
const NO_PLACES: never[] = []

export class NumberTable<T extends Numbered> {
  /** At least half of it is empty. */
  #places: (T | undefined)[] = NO_PLACES
  #size = 0

  get size(): number {
    return this.#size
  }

  get(number: number): T | undefined {
    return this.#size === 0 ? undefined : this.#places[this.#find(number)]
  }

  /** In place of one that has this number. */
  set(entry: T): void {
    if (2 * (this.#size + 1) > this.#places.length) this.#resize(Math.max(FEW, 2 * this.#places.length))
    const at = this.#find(entry.number)
    if (this.#places[at] === undefined) this.#size += 1
    this.#places[at] = entry
  }

  delete(number: number): void {
    if (this.#size === 0) return
    const at = this.#find(number)
    if (this.#places[at] === undefined) return
    this.#size -= 1
    this.#close(at)
    if (this.#size === 0 && this.#places.length > FEW) this.#places = NO_PLACES
  }

  /** Of those that are there when it is asked. */
  values(): T[] {
    return this.#places.filter((entry) => entry !== undefined)
  }

  clear(): void {
    this.#places = NO_PLACES
    this.#size = 0
  }

  /** Where it is, or else where it would be. */
  #find(number: number): number {
    const mask = this.#places.length - 1
    let at = this.#homeOf(number)
    for (let entry = this.#places[at]; entry !== undefined && entry.number !== number; entry = this.#places[at]) {
      at = (at + 1) & mask
    }
    return at
  }

  /** The highest bits of the product are the ones that all bits of the number have a say in. */
  #homeOf(number: number): number {
    return Math.imul(number, FACTOR) >>> (Math.clz32(this.#places.length) + 1)
  }

  /** An entry that could not be found because of the gap moves into it, and leaves another gap. */
  #close(gap: number): void {
    const mask = this.#places.length - 1
    let at = gap
    for (;;) {
      at = (at + 1) & mask
      const entry = this.#places[at]
      if (entry === undefined) break
      const home = this.#homeOf(entry.number)
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      this.#places[gap] = entry
      gap = at
    }
    this.#places[gap] = undefined
  }

  #resize(length: number): void {
    const entries = this.values()
    this.#places = new Array<T | undefined>(length).fill(undefined)
    for (const entry of entries) this.#places[this.#find(entry.number)] = entry
  }
}
