/**
 * Pinning as this process (this thread's JavaScript) sees it: one pin table per region, found by the inode, so that dups
 * share it as they share an ashmem area. Other processes have tables of their own; the owner of a region is the one who
 * purges. Purging takes whole ranges, the one that was unpinned longest ago first, whatever region it is in.
 *
 * Nothing here keeps a region alive: a table ends with the last descriptor that it was reached through.
 */
import { fstat } from 'memfd-native'
import { borrowFd, type FileDescriptor } from './file-descriptor.ts'
import { PinTable, type UnpinnedRange } from './pin-table.ts'
import { pageCount, punchPages } from './region.ts'

/** Below this many tables nobody looks for dead ones; a guess, never tuned. */
const MIN_REGIONS_TO_PRUNE = 64

const regions = new Map<string, RegionPins>()
let pruneAt = MIN_REGIONS_TO_PRUNE
/** Counts unpins; the order is all that matters. */
let clock = 0

/** The pins of one region. */
export class RegionPins {
  readonly pages: number
  readonly #table = new PinTable()
  #holders: WeakRef<FileDescriptor>[] = []

  private constructor(pages: number) {
    this.pages = pages
  }

  /** The pins of the region behind a descriptor. @throws EBADF */
  static of(fd: FileDescriptor): RegionPins {
    const { dev, ino, size } = fstat(borrowFd(fd))
    const key = `${dev}:${ino}`
    let region = regions.get(key)
    // The kernel may give the inode number of a region that is gone to a new one.
    if (region === undefined || region.#openHolders().length === 0) {
      pruneGoneRegions()
      region = new RegionPins(pageCount(size))
      regions.set(key, region)
    }
    region.#addHolder(fd)
    return region
  }

  /** Unpins pages [start, end): they may be purged from now on. */
  unpin(start = 0, end = this.pages): void {
    clock += 1
    this.#table.unpin(start, end, clock)
  }

  /** Pins pages [start, end); true when any of them was purged meanwhile. */
  pin(start = 0, end = this.pages): boolean {
    return this.#table.pin(start, end)
  }

  isPinned(start: number, end: number): boolean {
    return this.#table.isPinned(start, end)
  }

  /** @internal The ranges that a purge may take. */
  purgeable(): UnpinnedRange[] {
    return this.isGone() ? [] : this.#table.ranges.filter((range) => !range.purged)
  }

  /** @internal Empties a range by the first descriptor that can; false when the region is sealed for readers. */
  purge(range: UnpinnedRange): boolean {
    range.purged = this.#openHolders().some((fd) => {
      try {
        punchPages(borrowFd(fd), range.start, range.end)
        return true
      } catch {
        return false // EPERM sealed for readers, EBADF open for reading only
      }
    })
    return range.purged
  }

  /** @internal Whether every descriptor that led here is closed. */
  isGone(): boolean {
    return this.#openHolders().length === 0
  }

  #addHolder(fd: FileDescriptor): void {
    const open = this.#openHolders()
    if (open.includes(fd)) return
    this.#holders = [...open, fd].map((holder) => new WeakRef(holder))
  }

  #openHolders(): FileDescriptor[] {
    return this.#holders.flatMap((holder) => {
      const fd = holder.deref()
      return fd?.valid() ? [fd] : []
    })
  }
}

/**
 * Purges unpinned ranges of this process, oldest first, until at least `pages` pages are emptied or none is left. A range
 * is purged whole. Ranges of regions that are sealed for readers are passed over. Answers the pages emptied.
 */
export function purge(pages: number): number {
  let emptied = 0
  for (const { region, range } of oldestFirst()) {
    if (emptied >= pages) break
    if (region.purge(range)) emptied += range.end - range.start
  }
  return emptied
}

function oldestFirst(): { region: RegionPins; range: UnpinnedRange }[] {
  const all = [...regions.values()].flatMap((region) => region.purgeable().map((range) => ({ region, range })))
  return all.sort((a, b) => a.range.unpinnedAt - b.range.unpinnedAt)
}

/** Drops the tables of regions that are gone, now and then: as often as their number has doubled. */
function pruneGoneRegions(): void {
  if (regions.size < pruneAt) return
  for (const [key, region] of regions) if (region.isGone()) regions.delete(key)
  pruneAt = Math.max(MIN_REGIONS_TO_PRUNE, 2 * regions.size)
}
