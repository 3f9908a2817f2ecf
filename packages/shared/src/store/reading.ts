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

/** In words. */
export function typeName(type: number): 'json' | 'bytes' | null {
  if (type === areaTypes.JSON) return 'json'
  return type === areaTypes.BYTES ? 'bytes' : null
}
