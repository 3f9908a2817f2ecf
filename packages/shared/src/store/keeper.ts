/**
 * Keeps a store beyond the end of its process. It is notified of each change, and can delay the answer. It reads what
 * it keeps from the store itself, at any time, as a snapshot of one moment.
 */
import type { OwnedFd } from 'memfd-native'
import type { StoreOrigin } from './origin.ts'
import type { KeyNote, RecordSource, StoredRecord } from './stored-record.ts'

/** A store as its keeper sees it. */
export interface KeptStore {
  /** What the key has now; null: nothing. The bytes are good until the next read. */
  read(key: string): (StoredRecord & KeyNote) | null
  /** Who pays for the key, and when it ends. */
  noteOf(key: string): KeyNote
  /** Keys for which somebody pays, or that end. */
  readonly notedKeys: Iterable<string>
  /** 0n: it is absent. */
  versionOf(key: string): bigint
  readonly keys: readonly string[]
  /** Of all areas together. */
  readonly maxKeys: number
  /** Of all areas, the last that was given. */
  readonly versions: readonly bigint[]
  /** A read-only descriptor of each area, in their order; the caller's. @throws EMFILE, ENFILE */
  shareAreas(): OwnedFd[]
}

export interface StoreKeeper {
  /** Before anything else, once. */
  begin(store: KeptStore): void
  /**
   * These keys of one area are about to change to this. `changed` follows, also if the change fails. A keeper that must
   * have notes before the values exist uses it.
   */
  changing?(keys: readonly string[], note: KeyNote): void
  /** These keys of one area have changed, or who pays for them, or when they end. */
  changed(keys: readonly string[]): void
  /** The areas are other ones. */
  moved(): void
  /**
   * null if the change may be answered now; otherwise a promise for when it may. It rejects with a NotKeptError if the
   * change could not be kept.
   */
  kept(): Promise<void> | null
  /** The store is closed, and can still be read. */
  end(): void
}

/** What a store begins with. */
export interface StoreBeginning {
  /** Values of before. No key is in two of them. */
  readonly records?: readonly RecordSource[]
  /** Of keys that have something to note. */
  readonly notes?: Iterable<readonly [key: string, note: KeyNote]>
  readonly keeper?: StoreKeeper | null
  /** It is a copy: its clients' changes are made there. */
  readonly origin?: StoreOrigin | null
}
