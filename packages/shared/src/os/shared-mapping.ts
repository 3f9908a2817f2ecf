/**
 * A mapping of a SharedMemory: what Android's ByteBuffer is to it. The memory stays in native code; every access copies,
 * and is checked, so that neither unmapping nor a read-only mapping can ever kill the process.
 */
import { Buffer } from 'node:buffer'
import { dispose, inspected, introduce, keepFromCloning, type Mapping, mmap } from 'memfd-native'
import { checkBytes, checkInteger, checkLong, checkNumber, checkRange, INT_MAX, INT_MIN } from '../util/check.ts'
import { ClosedError, ReadOnlyError, UnsupportedOperationError } from '../util/errors.ts'

const { PROT_READ, PROT_WRITE } = mmap

/** Memory for converting one value. Nothing in it outlives a call. */
const scratch = Buffer.alloc(8)

/**
 * A mapping of a SharedMemory (Android returns a ByteBuffer). Indexes are in bytes, and numbers are big-endian, as in a
 * ByteBuffer. A number of 4 or 8 bytes at a multiple of its size is read or written in one access, so it never mixes
 * two writes. Errors, in this order: ERR_CLOSED after `SharedMemory.unmap`; ERR_READ_ONLY for a put without WRITE;
 * ERR_UNSUPPORTED_OPERATION for a get with neither READ nor WRITE; ERR_OUT_OF_RANGE for an index, a count or a value.
 */
export class SharedMapping {
  readonly #mapping: Mapping
  readonly #isReadable: boolean

  /** @internal By SharedMemory.map(). Takes the mapping over. */
  constructor(mapping: Mapping, prot: number) {
    this.#mapping = mapping
    keepFromCloning(this)
    // A writable page is a readable page on every processor that Node runs on.
    this.#isReadable = (prot & (PROT_READ | PROT_WRITE)) !== 0
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      length: this.length,
      access: this.isReadOnly() ? 'read-only' : 'read-write',
      state: this.#mapping.isMapped ? 'mapped' : 'unmapped',
    })
  }

  /** The length in bytes; 0 after unmap. */
  get length(): number {
    return this.#mapping.length
  }

  /** Whether it was mapped without WRITE; also after unmap. */
  isReadOnly(): boolean {
    return !this.#mapping.isWritable
  }

  /** The byte at `index`, 0 to 255. */
  get(index: number): number {
    return this.#load(index, 1).readUInt8()
  }

  /** Stores the low 8 bits of `byte`, -128 to 255. */
  put(index: number, byte: number): void {
    this.#store(index, 1, () => {
      checkInteger('byte', byte, -128, 255)
      scratch[0] = byte
    })
  }

  /** The int16 at `index`. */
  getShort(index: number): number {
    return this.#load(index, 2).readInt16BE()
  }

  /** Stores an int16, -2^15 to 2^15 - 1. */
  putShort(index: number, value: number): void {
    this.#store(index, 2, () => {
      checkInteger('value', value, -0x8000, 0x7fff)
      scratch.writeInt16BE(value)
    })
  }

  /** The int32 at `index`. */
  getInt(index: number): number {
    return this.#load(index, 4).readInt32BE()
  }

  /** Stores an int32, -2^31 to 2^31 - 1. */
  putInt(index: number, value: number): void {
    this.#store(index, 4, () => {
      checkInteger('value', value, INT_MIN, INT_MAX)
      scratch.writeInt32BE(value)
    })
  }

  /** The int64 at `index`. */
  getLong(index: number): bigint {
    return this.#load(index, 8).readBigInt64BE()
  }

  /** Stores an int64, -2^63 to 2^63 - 1. */
  putLong(index: number, value: bigint): void {
    this.#store(index, 8, () => {
      checkLong('value', value)
      scratch.writeBigInt64BE(value)
    })
  }

  /** The single precision number at `index`. */
  getFloat(index: number): number {
    return this.#load(index, 4).readFloatBE()
  }

  /** Stores the nearest float. */
  putFloat(index: number, value: number): void {
    this.#store(index, 4, () => {
      checkNumber('value', value)
      scratch.writeFloatBE(value)
    })
  }

  /** The double precision number at `index`. */
  getDouble(index: number): number {
    return this.#load(index, 8).readDoubleBE()
  }

  /** Stores a double precision number. */
  putDouble(index: number, value: number): void {
    this.#store(index, 8, () => {
      checkNumber('value', value)
      scratch.writeDoubleBE(value)
    })
  }

  /** Copies `count` bytes from `srcOffset` of the mapping to `destOffset` of the buffer, and returns `count`. */
  readBytes(buffer: Uint8Array, srcOffset: number, destOffset: number, count: number): number {
    this.#checkReadable()
    checkBytes('buffer', buffer)
    checkRange('destOffset', destOffset, count, buffer.length)
    checkRange('srcOffset', srcOffset, count, this.length)
    this.#mapping.read(srcOffset, buffer, destOffset, count)
    return count || 0 // not -0
  }

  /** Copies `count` bytes from `srcOffset` of the buffer to `destOffset` of the mapping. */
  writeBytes(buffer: Uint8Array, srcOffset: number, destOffset: number, count: number): void {
    this.#checkWritable()
    checkBytes('buffer', buffer)
    checkRange('srcOffset', srcOffset, count, buffer.length)
    checkRange('destOffset', destOffset, count, this.length)
    this.#mapping.write(destOffset, buffer, srcOffset, count)
  }

  /** @internal By SharedMemory.unmap(). */
  unmap(): void {
    this.#mapping.unmap()
  }

  /** As `SharedMemory.unmap`, for `using`. Idempotent. */
  [dispose](): void {
    this.unmap()
  }

  #load(index: number, width: number): Buffer {
    this.#checkReadable()
    checkInteger('index', index, 0, this.length - width)
    this.#mapping.read(index, scratch, 0, width)
    return scratch
  }

  /** @param encode checks the value and puts it into the scratch buffer: the value's errors come last. */
  #store(index: number, width: number, encode: () => void): void {
    this.#checkWritable()
    checkInteger('index', index, 0, this.length - width)
    encode()
    this.#mapping.write(index, scratch, 0, width)
  }

  #checkReadable(): void {
    this.#checkMapped()
    if (!this.#isReadable) throw new UnsupportedOperationError('mapped without READ')
  }

  #checkWritable(): void {
    this.#checkMapped()
    if (this.isReadOnly()) throw new ReadOnlyError('mapped without WRITE')
  }

  #checkMapped(): void {
    if (!this.#mapping.isMapped) throw new ClosedError('the memory is unmapped')
  }
}
