/**
 * The origin of a store that is a copy. Every change that a client requests is made there, and arrives in the copy like
 * all others. Readers see only the state of the copy.
 */
import type { Caller } from '../binder/calling-identity.ts'
import type { CoreEdit } from './core-edit.ts'
import type { ReplicaWords } from './replica-words.ts'
import type { StoredRecord } from './stored-record.ts'

/** The copy, as whoever fills it sees it. */
export interface StoreCopy {
  /** Whole, or not at all; without the limits of clients. @returns the version; 0n: nothing has changed. @throws ERR_LIMIT no room */
  apply(edits: readonly CoreEdit[]): bigint
  /** What readers are told, from now on. */
  setReplica(words: ReplicaWords): void
  /** What the key has; null: nothing. The bytes are a copy. */
  read(key: string): StoredRecord | null
  /** 0n: it is absent. */
  versionOf(key: string): bigint
  /** All of them, in no order. */
  readonly keys: readonly string[]
}

export interface StoreOrigin {
  /** Before anything else, once. */
  begin(copy: StoreCopy): void
  /**
   * Makes the changes at the origin, all or none. The rights of the caller and the keys have been checked.
   * @returns the version in the copy, which has the changes by then; 0n if nothing had to be changed
   * @throws ERR_CONFLICT with the version in the copy; ERR_TIMEOUT if the outcome is unknown; ERR_READ_ONLY; ERR_LIMIT
   */
  update(edits: readonly CoreEdit[], caller: Caller): Promise<bigint>
  /**
   * @returns the sum, which the copy has by then
   * @throws ERR_INVALID_ARG_VALUE if the value is not a number; otherwise as update
   */
  increment(key: string, by: number, caller: Caller): Promise<number>
  /** Which of its revisions wrote the value that the copy has; 0n: it has none. */
  revisionOf(key: string): bigint
  /** The store is closed. */
  end(): void
}
