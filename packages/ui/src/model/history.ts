/** The last changes that were seen, the newest first. */

export interface HistoryEntry {
  /** Counts up; for the page. */
  readonly id: number
  /** Milliseconds since 1970: when it was seen, which is a moment after it was made. */
  readonly at: number
  /** Of the value or the store. */
  readonly name: string
  /** Of a store. */
  readonly key?: string
  /** Shortened; null: it was deleted. */
  readonly text: string | null
  readonly version?: string
}

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
