/** The types for reading a store. */
import { areaTypes } from 'memfd-native'
import type { DeepReadonly, Json } from './json.ts'

/** A value with its version, type and length, all of one moment. */
export interface StoreSnapshotEntry<T = Json> {
  /** The key. */
  key: string
  /** JSON is frozen, bytes are a copy; undefined if the key has no value. */
  value: DeepReadonly<T> | Uint8Array | undefined
  /** The version of the transaction that wrote it; 0n if the key has no value. */
  version: bigint
  /** The length in bytes, for JSON of its text. */
  byteLength: number
  /** null if the key has no value. */
  type: 'json' | 'bytes' | null
}

/** One change of a store. */
export interface StoreChange {
  /** The key of the value. */
  key: string
  /** The new value: JSON is frozen, bytes are a copy; undefined if the key was deleted. */
  value: Json | Uint8Array | undefined
  /** The version of the transaction; 0n if the key was deleted and the version is not known. */
  version: bigint
}

/** In words. */
export function typeName(type: number): 'json' | 'bytes' | null {
  if (type === areaTypes.JSON) return 'json'
  return type === areaTypes.BYTES ? 'bytes' : null
}
