/**
 * The numbers that a call about an area takes and answers, in memory that native code has too: as arguments and results
 * they would cost more than a small read. The same as `Words` in native/area/node_call.h.
 */
import { native } from './binding.ts'
import { Bytes, lengthOf, setBytes, typeName } from './typed-array.ts'

/** Places in `words`. */
export const ENTRY = 0
export const UID = 1
export const WANTED_VERSION = 3
/** Of `few`: how many bytes are in it, or fit; NOT_FEW: they are an argument. */
export const ROOM = 5
export const VERSION = 8
export const BYTES = 10
export const TYPE = 11
export const STATE = 12
export const WITNESS_AT = 13
export const WITNESS = 14
/** Of `keyBytes`; 0: the key is an argument. */
export const KEY_BYTES = 20
/** Places in `doubles`. */
export const POSITION = 3
export const HANDLE = 8
/** What a call answers. */
export const COUNT = 9
export const ALLOCATED_BYTES = 19
export const USED_BYTES = 20
export const RESERVED_BLOCKS = 21
const KEY_NUMBER = 22

const KEY_AT = 88
const WORDS_BYTES = 184
/** A key of so many bytes is handed over in the words. */
const SHORT_KEY = 64
/** And a value. */
const FEW_BYTES = 256

/** No entry is known. */
export const NO_ENTRY = -1
const NOT_FEW = -1
const LAST_OF_ASCII = 0x7f

/** As int32s: 64 bits are two of them, the low half first. */
export const words = new Int32Array(new SharedArrayBuffer(WORDS_BYTES)) // shared: that cannot be detached
/**
 * V8 copies to and from shared memory word by word, so the bytes of values are in memory that is not shared. It is
 * private, so nobody can detach it.
 */
const fewMemory = native.areaUseWords(words)
/** As whole 64 bits: place / 2. */
export const longs = new BigUint64Array(words.buffer)
/** As doubles. */
export const doubles = new Float64Array(words.buffer)
const keyBytes = new Bytes(words.buffer, KEY_AT, SHORT_KEY)
const few = new Bytes(fewMemory)
/** Of `few`, by their length: to make one takes longer than to copy it. */
const beginnings: (Uint8Array | undefined)[] = new Array(FEW_BYTES + 1).fill(undefined)

/** Whose bytes are in `keyBytes`; empty: nobody's. */
let passed = ''
/** How many have been written there. */
let keys = 0

/** Hands a key over, if it is short and in ASCII. Else it is an argument. */
export function passKey(key: string): void {
  words[KEY_BYTES] = 0
  if (key !== passed && !writeKey(key)) return
  words[KEY_BYTES] = key.length
}

function writeKey(key: string): boolean {
  if (typeof key !== 'string' || key.length > SHORT_KEY) return false
  passed = ''
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at)
    if (code > LAST_OF_ASCII) return false
    keyBytes[at] = code
  }
  passed = key
  keys += 1
  doubles[KEY_NUMBER] = keys
  return true
}

/**
 * Passes the bytes of a value, if they are few.
 * @returns the argument for native code: the bytes, or null
 */
export function passBytes(bytes: Uint8Array): Uint8Array | null {
  const length = fewOf(bytes)
  words[ROOM] = length
  if (length === NOT_FEW) return bytes
  if (length > 0) setBytes(few, bytes, 0) // or it may be gone
  return null
}

/**
 * Lets native code put few bytes where takeBytes() finds them.
 * @returns the argument for native code: the target, or null
 */
export function passTarget(target: Uint8Array | null): Uint8Array | null {
  const room = target === null ? NOT_FEW : fewOf(target)
  words[ROOM] = room
  return room === NOT_FEW ? target : null
}

/** Copies what was read to the target, if passTarget() returned null for it. */
export function takeBytes(target: Uint8Array, count: number): void {
  if (count > 0) setBytes(target, beginningOfFew(count), 0)
}

function beginningOfFew(count: number): Uint8Array {
  let view = beginnings[count]
  if (view === undefined) beginnings[count] = view = new Bytes(fewMemory, 0, count)
  return view
}

/** How many bytes; NOT_FEW also for something that is not a Uint8Array. */
function fewOf(bytes: Uint8Array): number {
  const length = typeName(bytes) === 'Uint8Array' ? lengthOf(bytes) : FEW_BYTES + 1
  return length <= FEW_BYTES ? length : NOT_FEW
}

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
