/** The JSON that the server sends and the page shows. Only types, for both sides. */

export interface Hello {
  readonly registry: string
  readonly name: string
  readonly store: string
  /** Whether this window starts a daemon where there is none. */
  readonly canStart: boolean
  readonly uid: number
  readonly pid: number
}

export interface ListedService {
  readonly name: string
  readonly pid: number
  readonly uid: number
  /** `service`: something of somebody's own, or it has not said yet. */
  readonly kind: 'value' | 'store' | 'service'
  /** What its interface is called, as it says. */
  readonly descriptor: string | null
}

export interface ValueState {
  readonly name: string
  /** `absent`: never found. `slow`: its service does not answer; the memory is read all the same. `gone`: the value is its last one. */
  readonly state: 'absent' | 'live' | 'slow' | 'gone' | 'unusable'
  readonly value: number | null
  /** When this was seen first: milliseconds since 1970. */
  readonly since: number
  /** Why it cannot be used; null: it can. */
  readonly problem: string | null
}

export interface StoreState {
  readonly name: string
  /** `slow`: its owner does not answer; the values are read all the same. `stale`: it is gone, and these are the last ones. */
  readonly state: 'absent' | 'live' | 'slow' | 'stale' | 'unusable'
  readonly keys: number
  readonly problem: string | null
}

/** A line of the list. */
export interface ListedEntry {
  readonly key: string
  readonly type: 'json' | 'bytes' | null
  readonly bytes: number
  readonly version: string
  readonly preview: string
}

export interface StoreList extends StoreState {
  /** How many keys fit the search; the list may have fewer. */
  readonly found: number
  readonly entries: readonly ListedEntry[]
}

/** A value as it is shown and edited. */
export interface EntryText {
  readonly key: string
  readonly type: 'json' | 'bytes'
  readonly version: string
  readonly bytes: number
  /** The text in the editor; null for bytes that are not text. */
  readonly text: string | null
  /** How it is edited, unless the user chooses otherwise. */
  readonly mode: 'json' | 'text'
}

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
