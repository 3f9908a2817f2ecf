/**
 * The bytes of one parcel, little-endian and in steps of 4, with Android's rules for size, position and capacity
 * (libbinder/Parcel.cpp). It has the table of the objects among them, so that nothing is read or written over one;
 * `object-bytes.ts` puts them in and takes them out.
 *
 * `#capacity` is the number that Android would answer. The storage behind it may be larger: small buffers are pooled,
 * since every call needs two of them. So what lies beyond `#size` is never anybody's data: whoever lets the size grow
 * writes those bytes, if only with zeros.
 */

import { Buffer } from 'node:buffer'
import { INT_MAX } from '../util/check.ts'
import { BadParcelError, OutOfRangeError, SecurityError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { copyBytes, getInt32, isSame, putBytes, putInt32, withWords } from '../util/words.ts'
import { giveBack, LARGE_BYTES, takeLarge } from './large-storage.ts'
import { type BinderSource, ObjectTable, type ParcelObject } from './object-table.ts'

/** Bytes that were received: [start, start + size) of a buffer. */
export interface ReceivedData {
  readonly bytes: Buffer
  readonly start: number
  readonly size: number
  /**
   * Whether the bytes belong to somebody else and will be overwritten, so that the parcel must copy them. Otherwise it
   * may take them over.
   */
  readonly isBorrowed: boolean
}

const MIN_GROWN_CAPACITY = 128 // growData in libbinder/Parcel.cpp
const POOLED_BYTES = 1024 // guess, never tuned: holds most requests and replies
const MAX_POOLED = 256 // two for each of a hundred calls under way

const pool: ParcelBuffer[] = []

export class ParcelBuffer {
  /** Its own: it stays here. */
  readonly #small: Buffer = withWords(Buffer.alloc(POOLED_BYTES))
  #bytes = this.#small
  #objects = new ObjectTable()
  #size = 0
  #capacity = 0
  #position = 0
  #isRequest = false
  /** See `part`: of `#small`. */
  #part: Uint8Array | null = null
  #partAt = 0
  /** Whether it is sent to another process, and nowhere else. */
  isLeaving = false
  /** The last part of its data, if it is in another buffer; only for a parcel that is sent. */
  lent: Uint8Array | null = null

  /** An empty buffer, perhaps a recycled one. */
  static obtain(): ParcelBuffer {
    return pool.pop() ?? new ParcelBuffer()
  }

  /**
   * Replaces the contents with this data and the descriptors of `objects`, which are sorted by offset, and takes them
   * over. The position becomes 0.
   * @param source opens the binders among them
   */
  replace(data: ReceivedData, objects: ParcelObject[], source: BinderSource | null): void {
    const { bytes, start, size } = data
    if (!this.#objects.isEmpty) this.#objects.truncate(0)
    // A small body is copied in any case: pooled storage is this buffer's own, and never a part of a larger one.
    if (data.isBorrowed || size <= POOLED_BYTES) {
      if (size > this.#bytes.length) this.#store(size <= LARGE_BYTES ? takeLarge() : Buffer.allocUnsafe(size))
      copyBytes(bytes, start, this.#bytes, 0, size)
    } else this.#store(bytes.subarray(start, start + size))
    if (objects.length > 0) this.#objects = new ObjectTable(objects, source)
    this.#size = size
    this.#capacity = size
    this.#position = 0
    this.#isRequest = false
  }

  /** Its contents come from a caller. An error about them is an answer to that caller, so it needs no stack trace. */
  markRequest(): void {
    this.#isRequest = true
  }

  /** An error about what is in it. */
  complaint(Failure: new (message: string) => Error, message: string): Error {
    return this.#isRequest ? withoutStack(() => new Failure(message)) : new Failure(message)
  }

  /** Closes its descriptors, and will be used again: who recycles it has forgotten it. */
  recycle(): void {
    if (!this.#objects.isEmpty) this.#objects.truncate(0)
    if (this.#objects.hasSource) this.#objects = new ObjectTable()
    this.#store(this.#small)
    this.isLeaving = false
    this.lent = null
    if (pool.length === MAX_POOLED) return
    this.#size = 0
    this.#capacity = 0
    this.#position = 0
    this.#isRequest = false
    pool.push(this)
  }

  get objects(): ObjectTable {
    return this.#objects
  }

  /** The storage. Offsets from `claim` and `take` count in it; another `claim` may replace it. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** In bytes. A position beyond the end counts as the end. */
  get size(): number {
    return Math.max(this.#size, this.#position)
  }

  get position(): number {
    return this.#position
  }

  set position(position: number) {
    this.#position = position
  }

  get capacity(): number {
    return this.#capacity
  }

  /** Bytes from the position to the end. */
  get available(): number {
    return this.size - this.#position
  }

  /** Cuts, or adds zeros; objects that are cut are dropped. A position beyond moves to the new end. */
  resize(size: number): void {
    this.#objects.truncate(size)
    this.reserve(size)
    if (size > this.#size) this.#bytes.fill(0, this.#size, size)
    this.#size = size
    this.#position = Math.min(this.#position, size)
  }

  /** Only ever grows. */
  reserve(capacity: number): void {
    if (capacity > this.#capacity) this.#setCapacity(capacity)
  }

  /** The storage, whose first `length` bytes are the parcel's data, zeros beyond its end. Holds until the next change. */
  padded(length: number): Buffer {
    if (length <= this.#size) return this.#bytes
    const view = this.view(length)
    return length <= this.#bytes.length ? this.#bytes : view
  }

  /** The first `length` bytes, a view that holds until the next change; zeros beyond the end. */
  view(length: number): Buffer {
    if (length > this.#bytes.length) return Buffer.concat([this.#bytes.subarray(0, this.#size)], length)
    if (length > this.#size) this.#bytes.fill(0, this.#size, length)
    return this.#bytes.subarray(0, length)
  }

  /**
   * A view of bytes that `take` has found, which holds until the next change. Most calls of a method are alike, and views take long to
   * make, so the last one is used again.
   */
  part(at: number, length: number): Uint8Array {
    if (this.#bytes !== this.#small) return this.#bytes.subarray(at, at + length)
    if (this.#part === null || this.#partAt !== at || this.#part.length !== length) {
      this.#part = this.#small.subarray(at, at + length)
      this.#partAt = at
    }
    return this.#part
  }

  /**
   * Room at the position for `count` bytes and their padding, which becomes zeros; moves the position behind it.
   * @returns where the bytes go, in {@link bytes}.
   * @throws ERR_SECURITY over an object, ERR_OUT_OF_RANGE above 2^31 - 1 bytes; then nothing has changed.
   */
  claim(count: number): number {
    const start = this.claimUnpadded(padded(count))
    for (let i = start + count; i < this.#position; i++) this.#bytes[i] = 0 // at most three
    return start
  }

  /** As {@link claim}, to the byte. */
  claimUnpadded(count: number): number {
    const start = this.#position
    const end = start + count
    if (end > INT_MAX) throw new OutOfRangeError(`a parcel holds at most ${INT_MAX} bytes, not ${end}`)
    if (!this.#objects.isEmpty && this.#objects.overlaps(start, end)) {
      throw new SecurityError(`bytes ${start} to ${end} of the parcel hold an object, which cannot be overwritten`)
    }
    if (end > this.#capacity) this.#setCapacity(grownCapacity(end))
    if (start > this.#size) this.#bytes.fill(0, this.#size, start)
    this.#position = end
    this.#size = Math.max(this.#size, end)
    return start
  }

  /**
   * Where the next `count` bytes are in {@link bytes}. It moves the position behind them and their padding.
   * @returns -1 if there are not so many; then the position stays
   * @throws ERR_SECURITY if any of them belongs to an object; the position moves, as in Android
   */
  take(count: number): number {
    const start = this.#position
    const end = start + padded(count)
    if (end > this.#size) return -1
    this.#position = end
    if (!this.#objects.isEmpty && this.#objects.overlaps(start, end)) {
      throw this.complaint(SecurityError, `bytes ${start} to ${end} of the parcel hold an object, not plain data`)
    }
    return start
  }

  writeInt32(value: number): void {
    const at = this.claimUnpadded(4)
    putInt32(this.#bytes, at, value)
  }

  /** 0 past the end. */
  readInt32(): number {
    const at = this.take(4)
    return at < 0 ? 0 : getInt32(this.#bytes, at)
  }

  writeBytes(source: Uint8Array): void {
    const at = this.claim(source.length)
    putBytes(this.#bytes, at, source)
  }

  /** Like writeBytes, for memory from `withWords`. It is used for bytes that are written with every call. */
  writeWords(source: Buffer): void {
    const at = this.claim(source.length)
    copyBytes(source, 0, this.#bytes, at, source.length)
  }

  /**
   * Whether these bytes come next, from their `from`th on; then the position is behind them, otherwise it stays.
   * @throws ERR_SECURITY as {@link take}
   */
  takeIfSame(expected: Buffer, from: number): boolean {
    const start = this.#position
    if (start + expected.length > this.#size) return false
    if (!isSame(this.#bytes, start + from, expected, from, expected.length - from)) return false
    return this.take(expected.length) >= 0
  }

  /** A copy of the next `count` bytes; null when they or their padding are not there. */
  readBytes(count: number): Buffer | null {
    const at = this.take(count)
    return at < 0 ? null : Buffer.from(this.#bytes.subarray(at, at + count))
  }

  /**
   * The length that an array or string begins with, -1 for null and past the end.
   * @param elementBytes the least that one element takes: what a length is checked against before it is believed.
   * @throws ERR_BAD_PARCEL when that many cannot be in the bytes left.
   */
  readLength(elementBytes: number): number {
    if (this.available < 4) return -1
    const length = this.readInt32()
    if (length * elementBytes > this.available) {
      throw this.complaint(BadParcelError, `a length of ${length} does not fit in the ${this.available} bytes left`)
    }
    return Math.max(length, -1)
  }

  #setCapacity(capacity: number): void {
    this.#capacity = capacity
    if (capacity <= this.#bytes.length) return
    const larger = capacity <= LARGE_BYTES ? takeLarge() : Buffer.alloc(capacity)
    this.#bytes.copy(larger, 0, 0, this.#size)
    this.#store(larger)
  }

  /** Other storage, in place of what was here. */
  #store(storage: Buffer): void {
    if (storage === this.#bytes) return
    giveBack(this.#bytes)
    this.#bytes = storage
  }
}

function grownCapacity(size: number): number {
  return Math.min(Math.max(Math.floor((size * 3) / 2), MIN_GROWN_CAPACITY), INT_MAX)
}

function padded(count: number): number {
  return Math.ceil(count / 4) * 4
}
