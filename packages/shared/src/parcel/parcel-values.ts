/**
 * The plain part of a parcel: how large it is, where it is read and written, and the single values that are nothing but
 * bytes. `ParcelArrays` adds many of them at once, `Parcel` everything that needs more than bytes.
 */

import type { Buffer } from 'node:buffer'
import { dispose } from 'memfd-native'
import {
  checkBoolean,
  checkBytes,
  checkInt32,
  checkInteger,
  checkLong,
  checkNumber,
  checkString,
  INT_MAX,
} from '../util/check.ts'
import { BadParcelError } from '../util/errors.ts'
import { getDouble, getLong, putBytes, putDouble, putInt32, putLong } from '../util/words.ts'
import type { ParcelBuffer } from './parcel-buffer.ts'
import { readString8, readString16, writeString8, writeString16 } from './parcel-strings.ts'

/** What only `Parcel` can do with its private fields. */
export interface ParcelAccess {
  /** The bytes and objects of a parcel, for this folder. @throws ERR_CLOSED after recycle(). */
  bufferOf(parcel: ParcelValues): ParcelBuffer
  /**
   * Marks a reply that has not arrived yet: reading it is an error, because the caller has forgotten to wait. Call
   * `endWait` as often.
   * @throws ERR_CLOSED
   */
  beginWait(parcel: ParcelValues): void
  endWait(parcel: ParcelValues): void
  /**
   * The reply has arrived.
   * @throws ERR_CLOSED if it was recycled meanwhile
   */
  waitingBufferOf(parcel: ParcelValues): ParcelBuffer
  recycle(parcel: ParcelValues): void
}

export let bufferOf: ParcelAccess['bufferOf']
export let beginWait: ParcelAccess['beginWait']
export let endWait: ParcelAccess['endWait']
export let waitingBufferOf: ParcelAccess['waitingBufferOf']
let recycle: ParcelAccess['recycle']

/** By `Parcel`, once. */
export function giveAccess(access: ParcelAccess): void {
  bufferOf = access.bufferOf
  beginWait = access.beginWait
  endWait = access.endWait
  waitingBufferOf = access.waitingBufferOf
  recycle = access.recycle
}

/**
 * The rules for all values: they follow each other, little-endian, each padded to a multiple of 4 bytes. Writers write
 * at the position and move it. Call readers in the order of the writers.
 * - A reader beyond the end returns 0, 0n, false or null, and the position stays.
 * - An impossible length is ERR_BAD_PARCEL, before anything is allocated.
 * - Bytes of a descriptor or a binder cannot be read or written over as plain values: ERR_SECURITY.
 * - A value that a writer refuses leaves the parcel as it was; wrong type ERR_INVALID_ARG_TYPE, out of range
 *   ERR_OUT_OF_RANGE. An array, a blob or a Parcelable that meets an object on its way leaves what came before.
 * - After recycle() everything is ERR_CLOSED. While a `transact` is to fill it in, everything else is
 *   ERR_ILLEGAL_STATE.
 */
export abstract class ParcelValues {
  /** Closes the parcel's descriptors and gives its memory back. Again is harmless. */
  recycle(): void {
    recycle(this)
  }

  /** As {@link recycle}. */
  [dispose](): void {
    this.recycle()
  }

  /** In bytes. A position beyond the end counts as the end. */
  dataSize(): number {
    return bufferOf(this).size
  }

  /** In bytes from the beginning. */
  dataPosition(): number {
    return bufferOf(this).position
  }

  /** Bytes from the position to the end. */
  dataAvail(): number {
    return bufferOf(this).available
  }

  /** Bytes that fit before the parcel has to grow: by half, at least to 128. */
  dataCapacity(): number {
    return bufferOf(this).capacity
  }

  /**
   * Cuts the parcel, or fills it up with zeros. Objects that are cut are dropped and their descriptors closed. A position
   * beyond the new end moves to it, any other stays.
   */
  setDataSize(size: number): void {
    checkInteger('size', size, 0, INT_MAX)
    bufferOf(this).resize(size || 0) // not -0
  }

  /** May be beyond the end: a value written there leaves zeros before it. */
  setDataPosition(position: number): void {
    checkInteger('position', position, 0, INT_MAX)
    bufferOf(this).position = position || 0 // not -0
  }

  /** Only ever grows; a smaller number changes nothing. */
  setDataCapacity(capacity: number): void {
    checkInteger('capacity', capacity, 0, INT_MAX)
    bufferOf(this).reserve(capacity)
  }

  /**
   * @throws ERR_BAD_PARCEL if bytes are left after the position, because the reader does not know everything that was
   *   written
   */
  enforceNoDataAvail(): void {
    const buffer = bufferOf(this)
    const { available } = buffer
    if (available === 0) return
    throw buffer.complaint(BadParcelError, `Parcel data not fully consumed, unread size: ${available}`)
  }

  /** -128 to 127, in 4 bytes. */
  writeByte(value: number): void {
    checkInteger('value', value, -128, 127)
    bufferOf(this).writeInt32(value)
  }

  /** -128 to 127. */
  readByte(): number {
    return (bufferOf(this).readInt32() << 24) >> 24
  }

  /** -2^31 to 2^31 - 1, 4 bytes. */
  writeInt(value: number): void {
    checkInt32('value', value)
    bufferOf(this).writeInt32(value)
  }

  /** -2^31 to 2^31 - 1. */
  readInt(): number {
    return bufferOf(this).readInt32()
  }

  /** -2^63 to 2^63 - 1, 8 bytes. */
  writeLong(value: bigint): void {
    checkLong('value', value)
    const buffer = bufferOf(this)
    const at = buffer.claim(8)
    putLong(buffer.bytes, at, value)
  }

  /** -2^63 to 2^63 - 1. */
  readLong(): bigint {
    const buffer = bufferOf(this)
    const at = buffer.take(8)
    return at < 0 ? 0n : getLong(buffer.bytes, at)
  }

  /** Rounded to single precision, 4 bytes. */
  writeFloat(value: number): void {
    checkNumber('value', value)
    const buffer = bufferOf(this)
    const at = buffer.claim(4)
    buffer.bytes.writeFloatLE(value, at)
  }

  /** A number of single precision. */
  readFloat(): number {
    const buffer = bufferOf(this)
    const at = buffer.take(4)
    return at < 0 ? 0 : buffer.bytes.readFloatLE(at)
  }

  /** 8 bytes. */
  writeDouble(value: number): void {
    checkNumber('value', value)
    const buffer = bufferOf(this)
    const at = buffer.claim(8)
    putDouble(buffer.bytes, at, value)
  }

  /** Any number. */
  readDouble(): number {
    const buffer = bufferOf(this)
    const at = buffer.take(8)
    return at < 0 ? 0 : getDouble(buffer.bytes, at)
  }

  /** 1 or 0, in 4 bytes. */
  writeBoolean(value: boolean): void {
    checkBoolean('value', value)
    bufferOf(this).writeInt32(value ? 1 : 0)
  }

  /** Any int but 0 is true. */
  readBoolean(): boolean {
    return bufferOf(this).readInt32() !== 0
  }

  /** UTF-16, any string unchanged: 4 bytes, 2 for each unit and 2 for a zero, padded. */
  writeString(value: string | null): void {
    checkStringOrNull('value', value)
    writeString16(bufferOf(this), value)
  }

  /** Null also for a string that does not end where its length says. */
  readString(): string | null {
    return readString16(bufferOf(this))
  }

  /** UTF-8: 4 bytes, the string's and 1 for a zero, padded. Half of a surrogate pair becomes U+FFFD. */
  writeString8(value: string | null): void {
    checkStringOrNull('value', value)
    writeString8(bufferOf(this), value)
  }

  /** null also for a string that does not end where its length says. Bytes that are not UTF-8 become U+FFFD. */
  readString8(): string | null {
    return readString8(bufferOf(this))
  }

  /** 4 bytes and the array's, padded. Always in the parcel itself, see `writeBlob` for the alternative. */
  writeByteArray(value: Uint8Array | null): void {
    if (value !== null) checkBytes('value', value)
    const buffer = bufferOf(this)
    if (value === null) {
      buffer.writeInt32(-1)
      return
    }
    const at = buffer.claim(4 + value.length)
    putInt32(buffer.bytes, at, value.length)
    putBytes(buffer.bytes, at + 4, value)
  }

  /** A copy, the caller's own. */
  readByteArray(): Buffer | null {
    const buffer = bufferOf(this)
    const length = buffer.readLength(1)
    return length < 0 ? null : buffer.readBytes(length)
  }

  /** As readByteArray, but not a copy: the parcel's own bytes, until it is changed or recycled. @internal */
  viewByteArray(): Uint8Array | null {
    const buffer = bufferOf(this)
    const length = buffer.readLength(1)
    const at = length < 0 ? -1 : buffer.take(length)
    return at < 0 ? null : buffer.part(at, length)
  }
}

/** For this folder. */
export function checkStringOrNull(name: string, value: unknown): asserts value is string | null {
  if (value !== null) checkString(name, value)
}
