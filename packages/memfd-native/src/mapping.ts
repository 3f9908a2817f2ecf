/**
 * A mapping in native code: a caller gets copies and never sees the memory. So another process that changes the bytes
 * can confuse nobody, a store through a read-only mapping is an error and no crash, and nothing is left after unmap().
 * Only the readers and writers of one place have a view of it, and all they do with it is to copy it whole.
 *
 * One death remains: pages beyond the end of the file are SIGBUS. Map no file of a stranger that can still shrink.
 */

import { checkNumber, typeProblem } from './argument.ts'
import { type Handle, NO_HANDLE, native, unwrap } from './binding.ts'
import { dispose } from './disposal.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { LeakDetector, type Watched } from './leak-detector.ts'
import { type Fd, fdNumber } from './owned-fd.ts'
import { Bytes, lengthOf, loadWord, setBytes, storeWord, typeName, Words } from './typed-array.ts'

/** Shared with the leak detector, which must not hold the mapping itself. */
interface Cell extends Watched {
  handle: Handle
  length: number
}

/**
 * The functions that are called millions of times, by names of their own: an object that native code has filled is a
 * dictionary to V8, and looking into it takes as long as a small read.
 */
const { readMemory, writeMemory, readInt32LE, readInt32BE, writeInt32LE, writeInt32BE } = native

/**
 * The arguments of the next copy: offset, offset in the array, count. The memory is shared, because that cannot be
 * detached.
 */
const copyArgs = new Float64Array(new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT))
native.useCopyArgs(copyArgs)

const PROT_READ = 1
const PROT_WRITE = 2
/** An aligned one of so many bytes is one atomic access. */
const MAX_WORD_BYTES = 8
const MAX_VIEW_BYTES = 1 << 20

const leaks = new LeakDetector<Cell>((cell) => {
  if (cell.handle === NO_HANDLE) return null
  native.unmapMemory(cell.handle)
  cell.handle = NO_HANDLE
  return `mapping of ${cell.length} bytes`
})

/**
 * A mapping of a file, usually a memfd. Offsets and counts are in bytes. Every access throws ERR_CLOSED after unmap(),
 * RangeError (ERR_OUT_OF_RANGE) if it is not completely inside, and TypeError (ERR_INVALID_ARG_TYPE) for wrong types.
 */
export class Mapping {
  /** Whether it was mapped with PROT_WRITE. */
  readonly isWritable: boolean
  readonly #isReadable: boolean
  readonly #cell: Cell

  private constructor(handle: Handle, length: number, prot: number) {
    this.isWritable = (prot & PROT_WRITE) !== 0
    this.#isReadable = (prot & PROT_READ) !== 0
    this.#cell = { handle, length }
    leaks.watch(this, this.#cell)
    keepFromCloning(this)
  }

  /**
   * Maps `length` bytes from `offset`, which must be a multiple of the page size. You own the mapping. It does not need
   * the descriptor, which stays yours. mmap(2)
   *
   * @param prot `mmap.PROT_*`
   * @param flags `mmap.MAP_*`: MAP_SHARED or MAP_PRIVATE, no MAP_FIXED (EINVAL)
   * @throws SyscallError EACCES if the access mode of the descriptor forbids it; EPERM if a seal does
   */
  static map(fd: Fd, length: number, prot: number, flags: number, offset = 0): Mapping {
    const handle = unwrap('mmap', native.mapMemory(fdNumber(fd), length, prot, flags, offset))
    return new Mapping(handle, length, prot)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      length: this.length,
      writable: this.isWritable,
      state: this.isMapped ? 'mapped' : 'unmapped',
    })
  }

  /** In bytes; 0 after unmap(). */
  get length(): number {
    return this.#cell.length
  }

  /** False after unmap(). */
  get isMapped(): boolean {
    return this.#cell.handle !== NO_HANDLE
  }

  /**
   * Copies `count` bytes from the mapping to `target`. 4 bytes at a multiple of 4 and 8 bytes at a multiple of 8 are
   * one atomic access; any other copy may see a write that is not complete.
   * @throws code ERR_NOT_READABLE if it was mapped with PROT_NONE
   */
  read(offset: number, target: Uint8Array, targetOffset: number, count: number): void {
    setCopyArgs(offset, targetOffset, count)
    readMemory(this.#cell.handle, target)
  }

  /**
   * Copies `count` bytes to the mapping; it is atomic in the same cases as read().
   * @throws code ERR_READ_ONLY without PROT_WRITE
   */
  write(offset: number, source: Uint8Array, sourceOffset: number, count: number): void {
    setCopyArgs(offset, sourceOffset, count)
    writeMemory(this.#cell.handle, source)
  }

  /**
   * Reads a little-endian int32 in one atomic access. `offset` must be a multiple of 4 (otherwise ERR_OUT_OF_RANGE), as
   * in the next three methods.
   */
  readInt32LE(offset: number): number {
    return readInt32LE(this.#cell.handle, offset)
  }

  /** As readInt32LE(), big-endian. */
  readInt32BE(offset: number): number {
    return readInt32BE(this.#cell.handle, offset)
  }

  /**
   * Returns a function that copies the `count` bytes at `offset`, as read() does. It is faster than read() for a short
   * range that you read again and again. Making it costs as much as dozens of reads. It throws ERR_CLOSED after
   * unmap(), and does not keep the mapping alive. A wrong range is an error here, or when you read.
   */
  rangeReader(offset: number, count: number): (target: Uint8Array, targetOffset: number) => void {
    checkNumber('count', count)
    const cell = this.#cell
    const bytes = bytesOf(cell.handle, offset, count)
    return (target, targetOffset) => {
      if (isThere(bytes, cell) && fits(target, targetOffset, count)) setBytes(target, bytes, targetOffset)
      else {
        setCopyArgs(offset, targetOffset, count)
        readMemory(cell.handle, target)
      }
    }
  }

  /**
   * Returns a function that reads the int32 at `offset`. It is much faster than readInt32LE() for an int32 that you
   * read again and again. Making it costs as much as dozens of reads. It throws ERR_CLOSED after unmap(), and does not
   * keep the mapping alive.
   */
  int32ReaderLE(offset: number): () => number {
    const cell = this.#cell
    const word = wordOf(cell.handle, offset)
    return () => (isThere(word, cell) ? loadWord(word, 0) : readInt32LE(cell.handle, offset))
  }

  /** As int32ReaderLE(), big-endian. */
  int32ReaderBE(offset: number): () => number {
    const cell = this.#cell
    const word = wordOf(cell.handle, offset)
    return () => (isThere(word, cell) ? swapBytes(loadWord(word, 0)) : readInt32BE(cell.handle, offset))
  }

  /**
   * Returns a function that writes the int32 at `offset`, the counterpart of int32ReaderLE(). It throws what
   * writeInt32LE() throws. A wrong offset is an error here, or when you call it.
   */
  int32WriterLE(offset: number): (value: number) => void {
    const cell = this.#cell
    const word = this.#wordToWrite(offset)
    return (value) => {
      if (isThere(word, cell) && isInt32(value)) storeWord(word, 0, value)
      else writeInt32LE(cell.handle, offset, value)
    }
  }

  /** As int32WriterLE(), big-endian. */
  int32WriterBE(offset: number): (value: number) => void {
    const cell = this.#cell
    const word = this.#wordToWrite(offset)
    return (value) => {
      if (isThere(word, cell) && isInt32(value)) storeWord(word, 0, swapBytes(value))
      else writeInt32BE(cell.handle, offset, value)
    }
  }

  /**
   * Writes a little-endian int32, -2^31 to 2^31-1 (otherwise ERR_OUT_OF_RANGE), in one atomic access.
   * @throws code ERR_READ_ONLY without PROT_WRITE
   */
  writeInt32LE(offset: number, value: number): void {
    writeInt32LE(this.#cell.handle, offset, value)
  }

  /** As writeInt32LE(), big-endian. */
  writeInt32BE(offset: number, value: number): void {
    writeInt32BE(this.#cell.handle, offset, value)
  }

  /** Sets `count` bytes to the low 8 bits of `byte`. @throws code ERR_READ_ONLY without PROT_WRITE */
  fill(offset: number, count: number, byte = 0): void {
    native.fillMemory(this.#cell.handle, offset, count, byte)
  }

  /**
   * Unmaps the memory. Idempotent. munmap(2)
   * @throws SyscallError ENOMEM if the process has reached its limit of mappings, and unmapping would need one more; it
   *   stays mapped
   */
  unmap(): void {
    unwrap('munmap', native.unmapMemory(this.#cell.handle))
    this.#cell.handle = NO_HANDLE
    this.#cell.length = 0
    leaks.forget(this, this.#cell)
  }

  /** As unmap(), for `using`. */
  [dispose](): void {
    this.unmap()
  }

  /** Null: native code writes it, or says why not. */
  #wordToWrite(offset: number): Int32Array | null {
    return this.isWritable && this.#isReadable ? wordOf(this.#cell.handle, offset) : null
  }
}

/** The bytes themselves; null where native code copies them better, or the runtime allows no memory outside its heap. */
function bytesOf(handle: Handle, offset: number, count: number): Uint8Array | null {
  // A short, aligned range must be read in one access. V8 counts visible memory as its own, and collects garbage for
  // it.
  if (count <= MAX_WORD_BYTES || count > MAX_VIEW_BYTES) return null
  const memory = native.rangeView(handle, offset, count)
  return memory === null ? null : new Bytes(memory)
}

/** For anything else native code reports what is wrong. */
function fits(target: Uint8Array, targetOffset: number, count: number): boolean {
  return (
    typeName(target) === 'Uint8Array' && targetOffset >>> 0 === targetOffset && targetOffset + count <= lengthOf(target)
  )
}

/** The word at `offset`, for Atomics. Null where the runtime allows no memory outside its heap. */
function wordOf(handle: Handle, offset: number): Int32Array | null {
  const memory = native.wordView(handle, offset)
  return memory === null ? null : new Words(memory)
}

/** Otherwise there is none to read, or zeros are left in its place. */
function isThere<T>(memory: T | null, cell: Cell): memory is T {
  return memory !== null && cell.handle !== NO_HANDLE
}

/** For anything else native code reports what is wrong. */
function isInt32(value: number): boolean {
  return typeof value === 'number' && (value | 0) === value
}

function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}

/** Native code checks the values; here they must be numbers, or the array would turn them into some. */
function setCopyArgs(offset: number, arrayOffset: number, count: number): void {
  if (typeof offset !== 'number' || typeof arrayOffset !== 'number' || typeof count !== 'number') {
    throw typeProblem('offsets and counts must be numbers')
  }
  copyArgs[0] = offset
  copyArgs[1] = arrayOffset
  copyArgs[2] = count
}
