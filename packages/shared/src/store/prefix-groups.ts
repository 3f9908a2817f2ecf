/**
 * All watchers of one prefix are a group. What a write costs grows with the groups that hear of it, and not with the number of watchers,
 * nor with what else is watched.
 *
 * The groups are sorted, and each knows the longest other prefix that is one of its own. All prefixes of a key lie on the one way up from
 * the last group that is not behind the key.
 */
import { NoticeGroup, type Told } from '../watching/notices.ts'

/** Watchers `W` of one prefix. */
export class PrefixGroup<W extends Told = Told> extends NoticeGroup<W> {
  readonly prefix: string
  /** The next shorter prefix of this prefix; null: none is watched. */
  above: PrefixGroup<W> | null = null
  size = 0

  constructor(prefix: string) {
    super()
    this.prefix = prefix
  }
}

export class PrefixGroups<W extends Told = Told> {
  readonly #byPrefix = new Map<string, PrefixGroup<W>>()
  readonly #sorted: PrefixGroup<W>[] = []

  get size(): number {
    return this.#sorted.length
  }

  /** Those whose prefix one of the keys has. */
  of(keys: readonly string[]): Iterable<PrefixGroup<W>> {
    const found = new Set<PrefixGroup<W>>()
    for (const key of keys) {
      const last = this.#lastUpTo(key)
      if (last === null) continue
      const common = commonLength(key, last.prefix)
      // The groups above a group are found together with it.
      for (let group: PrefixGroup<W> | null = last; group !== null && !found.has(group); group = group.above) {
        if (group.prefix.length <= common) found.add(group)
      }
    }
    return found
  }

  /** The group of this prefix, with one more in it. */
  join(prefix: string): PrefixGroup<W> {
    const group = this.#byPrefix.get(prefix) ?? this.#make(prefix)
    group.size += 1
    return group
  }

  /**
   * Removes one watcher.
   * @returns whether it was the last one, so that the group ends
   */
  leave(group: PrefixGroup<W>): boolean {
    group.size -= 1
    if (group.size > 0) return false
    this.#byPrefix.delete(group.prefix)
    const at = this.#countUpTo(group.prefix) - 1
    this.#sorted.splice(at, 1)
    this.#hang(at, group, group.above)
    return true
  }

  #make(prefix: string): PrefixGroup<W> {
    const group = new PrefixGroup<W>(prefix)
    let above = this.#lastUpTo(prefix)
    while (above !== null && !prefix.startsWith(above.prefix)) above = above.above
    group.above = above
    const at = this.#countUpTo(prefix)
    this.#hang(at, group, group)
    this.#sorted.splice(at, 0, group)
    this.#byPrefix.set(prefix, group)
    return group
  }

  /**
   * A group was added or removed. The groups from `at` on that have its prefix, with no longer prefix in between, get
   * another parent.
   */
  #hang(at: number, group: PrefixGroup<W>, above: PrefixGroup<W> | null): void {
    const before = above === group ? group.above : group
    for (let i = at; i < this.#sorted.length; i++) {
      const below = this.#sorted[i] as PrefixGroup<W>
      if (!below.prefix.startsWith(group.prefix)) return
      if (below.above === before) below.above = above
    }
  }

  #lastUpTo(text: string): PrefixGroup<W> | null {
    return this.#sorted[this.#countUpTo(text) - 1] ?? null
  }

  /** How many are not behind this text. */
  #countUpTo(text: string): number {
    let [from, to] = [0, this.#sorted.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#sorted[middle] as PrefixGroup<W>).prefix <= text) from = middle + 1
      else to = middle
    }
    return from
  }
}

function commonLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1
  return length
}
