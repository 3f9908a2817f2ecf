/**
 * The numbers that a call about an area takes and answers, in memory that native code has too: as arguments and results
 * they would cost more than a small read. The same as `Words` in native/area/node_call.h.
 */
import { native } from './binding.ts'

/** Places in `words`. */
export const ENTRY = 0
export const UID = 1
export const WANTED_VERSION = 3
export const VERSION = 8
export const BYTES = 10
export const TYPE = 11
export const STATE = 12
export const WITNESS_AT = 13
export const WITNESS = 14
/** Place in `doubles`. */
export const POSITION = 3

const WORDS_BYTES = 64

/** No entry is known. */
export const NO_ENTRY = -1

/** As int32s: 64 bits are two of them, the low half first. */
export const words = new Int32Array(new SharedArrayBuffer(WORDS_BYTES)) // shared: that cannot be detached
native.areaUseWords(words)
/** As whole 64 bits: place / 2. */
export const longs = new BigUint64Array(words.buffer)
/** As doubles. */
export const doubles = new Float64Array(words.buffer)

/** Two int32s as what they are together. */
export function joined(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

/** The low half of a version. */
export function lowOf(version: bigint): number {
  return Number(version & 0xffffffffn) | 0
}

/** The high half of a version. */
export function highOf(version: bigint): number {
  return Number((version >> 32n) & 0xffffffffn) | 0
}
