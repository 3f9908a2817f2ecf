/** What is read of a store, and how it is said. */
import { areaTypes } from 'memfd-native'
import type { DeepReadonly, Json } from './json.ts'

/** A value with all that is known of it, of one moment. */
export interface StoreSnapshotEntry<T = Json> {
  /** Its name. */
  key: string
  /** JSON frozen; bytes a copy; undefined: absent. */
  value: DeepReadonly<T> | Uint8Array | undefined
  /** Of the transaction that wrote it; 0n: absent. */
  version: bigint
  /** Of JSON: of its text. */
  byteLength: number
  /** Null: absent. */
  type: 'json' | 'bytes' | null
}

/** One change of a store, as it is told. */
export interface StoreChange {
  /** Whose value it is. */
  key: string
  /** JSON frozen; bytes a copy; undefined: it was deleted. */
  value: Json | Uint8Array | undefined
  /** Of the transaction; 0n: only that it was deleted is known. */
  version: bigint
}

/** In words. */
export function typeName(type: number): 'json' | 'bytes' | null {
  if (type === areaTypes.JSON) return 'json'
  return type === areaTypes.BYTES ? 'bytes' : null
}
