/**
 * Which pages of one region are unpinned: the bookkeeping of the ashmem driver (drivers/staging/android/ashmem.c), as
 * data and nothing else. A region starts with every page pinned. Pins are not counted: one pin undoes any number of
 * unpins.
 */

/** Pages [start, end) that may be purged, or have been. */
export interface UnpinnedRange {
  readonly start: number
  readonly end: number
  /** The moment of the unpin, as the caller of `unpin` counts it. */
  readonly unpinnedAt: number
  /** After a purge it is not purged again until it was pinned and unpinned again. */
  purged: boolean
}

export class PinTable {
  /** They never overlap; they may touch, for adjacent ranges stay apart. */
  #ranges: UnpinnedRange[] = []

  /** The unpinned ranges, in no order. */
  get ranges(): readonly UnpinnedRange[] {
    return this.#ranges
  }

  /**
   * Unpins pages [start, end). Inside one unpinned range nothing changes, not even its moment. Otherwise what it overlaps
   * becomes one range with it, unpinned now, and purged if any part was: then the new pages are not purged any more.
   */
  unpin(start: number, end: number, now: number): void {
    if (start >= end || this.#ranges.some((range) => range.start <= start && end <= range.end)) return
    const union = { start, end, unpinnedAt: now, purged: false }
    const apart: UnpinnedRange[] = []
    for (const range of this.#ranges) {
      if (!overlaps(range, start, end)) {
        apart.push(range)
        continue
      }
      union.start = Math.min(union.start, range.start)
      union.end = Math.max(union.end, range.end)
      union.purged ||= range.purged
    }
    this.#ranges = [...apart, union]
  }

  /**
   * Pins pages [start, end) and tells whether any unpinned range among them was purged. What a range has outside of it
   * stays unpinned as it was, so each piece of a purged range tells it once.
   */
  pin(start: number, end: number): boolean {
    if (start >= end) return false
    let wasPurged = false
    const kept: UnpinnedRange[] = []
    for (const range of this.#ranges) {
      if (!overlaps(range, start, end)) {
        kept.push(range)
        continue
      }
      wasPurged ||= range.purged
      if (range.start < start) kept.push({ ...range, end: start })
      if (end < range.end) kept.push({ ...range, start: end })
    }
    this.#ranges = kept
    return wasPurged
  }

  /** Whether every page of [start, end) is pinned; true for an empty range. */
  isPinned(start: number, end: number): boolean {
    return start >= end || !this.#ranges.some((range) => overlaps(range, start, end))
  }
}

function overlaps(range: UnpinnedRange, start: number, end: number): boolean {
  return range.start < end && start < range.end
}
