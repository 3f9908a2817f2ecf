/**
 * What this process holds, counted in /proc. Only the process itself can look, because it is not dumpable
 * (PR_SET_DUMPABLE).
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds: to count takes about one. */
const MAX_AGE_MS = 10

export interface ProcessCounts {
  readonly fds: number
  readonly mappings: number
}

/** Counts only as often as needed: frequent questions get the last result. */
export class ProcessStatus {
  #last: ProcessCounts | undefined
  #change: unknown
  #at = 0

  /**
   * @param change a number that changes whenever the result may have changed. As long as it is the same, a result is
   *   valid for 10 ms
   */
  counts(change: unknown): ProcessCounts {
    const now = performance.now()
    if (this.#last !== undefined && change === this.#change && now - this.#at < MAX_AGE_MS) return this.#last
    this.#last = { fds: countDescriptors(), mappings: countRegionMappings() }
    this.#change = change
    this.#at = now
    return this.#last
  }
}

/** Open descriptors, without the one that is used to read the folder. */
export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length - 1
}

/** Mappings of memfds. */
export function countRegionMappings(): number {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n')
  return lines.filter((line) => line.includes('/memfd:')).length
}
