/**
 * All watchers of one prefix are a group. A change makes those of its groups that were up to date due by exchanging two sets: what
 * a write costs grows with the lengths of the prefixes that are watched, and not with the number of watchers.
 */

/** Of watchers `W`. In neither set: told, and not acknowledged. */
export interface Group<W> {
  readonly prefix: string
  upToDate: Set<W>
  due: Set<W>
  changes: number
  size: number
}

export class PrefixGroups<W> {
  readonly #groups = new Map<string, Group<W>>()
  /** How many groups have a prefix of this length. */
  readonly #lengths = new Map<number, number>()

  get size(): number {
    return this.#groups.size
  }

  /** Those whose prefix one of the keys has. */
  *of(keys: readonly string[]): Iterable<Group<W>> {
    const found = new Set<Group<W>>()
    for (const key of keys) {
      for (const length of this.#lengths.keys()) {
        const group = length <= key.length ? this.#groups.get(key.slice(0, length)) : undefined
        if (group !== undefined) found.add(group)
      }
    }
    yield* found
  }

  /** The group of this prefix, with one more in it. */
  join(prefix: string): Group<W> {
    const group = this.#groups.get(prefix) ?? this.#make(prefix)
    group.size += 1
    return group
  }

  /** One less. @returns whether it was the last one: the group is no more */
  leave(group: Group<W>): boolean {
    group.size -= 1
    if (group.size > 0) return false
    this.#groups.delete(group.prefix)
    const left = (this.#lengths.get(group.prefix.length) ?? 1) - 1
    if (left === 0) this.#lengths.delete(group.prefix.length)
    else this.#lengths.set(group.prefix.length, left)
    return true
  }

  #make(prefix: string): Group<W> {
    const group: Group<W> = { prefix, upToDate: new Set(), due: new Set(), changes: 0, size: 0 }
    this.#groups.set(prefix, group)
    this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1)
    return group
  }
}
