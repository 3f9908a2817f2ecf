/** The last changes that were seen, the newest first. */
import type { HistoryEntry } from './shown.ts'

const MOST = 200

export class History {
  readonly #entries: HistoryEntry[] = []
  readonly #onEntry: (entry: HistoryEntry) => void
  #count = 0

  constructor(onEntry: (entry: HistoryEntry) => void) {
    this.#onEntry = onEntry
  }

  get entries(): readonly HistoryEntry[] {
    return this.#entries
  }

  add(entry: Omit<HistoryEntry, 'id' | 'at'>): void {
    this.#count += 1
    const whole = { id: this.#count, at: Date.now(), ...entry }
    this.#entries.unshift(whole)
    this.#entries.length = Math.min(this.#entries.length, MOST)
    this.#onEntry(whole)
  }
}
