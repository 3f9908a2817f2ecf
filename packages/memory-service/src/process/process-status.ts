/** What this process holds: counted in /proc, because with PR_SET_DUMPABLE off nobody else can look. */
import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds: to count takes about one. */
const MAX_AGE_MS = 10

export interface ProcessCounts {
  readonly fds: number
  readonly mappings: number
}

/** Counts no more often than it must: who asks again and again is told what the last one was. */
export class ProcessStatus {
  #last: ProcessCounts | undefined
  #change: unknown
  #at = 0

  /** @param change whatever tells that something may have changed: as long as it is the same, what was counted is good for 10 ms */
  counts(change: unknown): ProcessCounts {
    const now = performance.now()
    if (this.#last !== undefined && change === this.#change && now - this.#at < MAX_AGE_MS) return this.#last
    this.#last = { fds: countDescriptors(), mappings: countRegionMappings() }
    this.#change = change
    this.#at = now
    return this.#last
  }
}

/** Open descriptors, less the one that reading the folder takes. */
export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length - 1
}

/** Mappings of memfds. */
export function countRegionMappings(): number {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n')
  return lines.filter((line) => line.includes('/memfd:')).length
}
