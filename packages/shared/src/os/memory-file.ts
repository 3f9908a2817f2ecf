/**
 * Android's MemoryFile on a memfd. Where Android's versions differ this follows the older one, whose hidden members
 * (the reference constructor, deactivate, isMemoryFile) the ashmem samples are written for; except for the length's
 * check, which is the newer one's. Old and new agree on the order of checks: deactivated, then bounds, then purged.
 *
 * The mapping lives in native code and callers only ever get copies: text that is decoded while another process
 * changes it crashes V8, and a store through a read-only mapping kills the process.
 */

import type { Mapping } from 'memfd-native'
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { checkBoolean, checkBytes, checkInt32, checkInteger, checkRange } from '../util/check.ts'
import {
  DeactivatedError,
  OutOfRangeError,
  PurgedError,
  ReadOnlyError,
  UnsupportedOperationError,
} from '../util/errors.ts'
import { borrowFd, FileDescriptor, lateDuplicateOf, wrapOwnedFd } from './file-descriptor.ts'
import { HotRange, HotWord } from './hot-access.ts'
import { createMemory, referToMemory } from './memory.ts'
import { MemoryInputStream, MemoryOutputStream } from './memory-file-streams.ts'
import { ParcelFileDescriptor } from './parcel-file-descriptor.ts'
import { RegionPins } from './purging.ts'
import { closeToWriters, isSealedForReaders, openForReaders, regionSize } from './region.ts'

const INT_BYTES = 4

/**
 * Shared memory that you read and write like a file (android.os.MemoryFile). It owns its descriptor and its mapping.
 * `close()` ends both; other processes keep theirs.
 */
export class MemoryFile {
  readonly #fd: FileDescriptor
  readonly #length: number
  readonly #mapping: Mapping
  readonly #isOwner: boolean
  /** For people. It is not read for another process's region. */
  readonly #name: string | null | undefined
  /** Set while purging is allowed; then the region is pinned only for the length of an access. */
  #pins: RegionPins | null = null
  /** Sealed for readers, for ever. */
  #isShared = false
  readonly #word = new HotWord()
  readonly #range = new HotRange()

  /**
   * A new region of `length` bytes, zeros, mapped read-write and not purgeable.
   * @param name for people who look at the process's maps; cut to 249 bytes of whole UTF-8 characters.
   * @param length in bytes, 1 to 2^31-1.
   * @throws ERR_INVALID_ARG_VALUE a bad length (as newer Androids; older: IOException), a NUL in the name; errors of
   * memfd_create(2), fallocate(2) and mmap(2).
   */
  constructor(name: string | null, length: number)
  /**
   * A reference to somebody's region, mapped read-only. It shares `fd`, not a dup of it: `close()` closes it for
   * every holder of the object.
   * @param length how much of the region to map, in bytes, 1 up to the region's size.
   * @throws in this order: ERR_NULL_POINTER no `fd`; EBADF it is closed; ERR_NOT_A_REGION; ERR_INVALID_ARG_VALUE a mode
   * other than 'r', a bad length; ERR_UNSAFE_REGION it can shrink or is shorter than `length`; errors of mmap(2).
   */
  constructor(fd: FileDescriptor, length: number, mode: 'r')
  constructor(nameOrFd: string | FileDescriptor | null, length: number, mode?: string) {
    this.#isOwner = mode === undefined && !(nameOrFd instanceof FileDescriptor)
    const memory = this.#isOwner
      ? createMemory(nameOrFd as string | null, length)
      : referToMemory(nameOrFd as FileDescriptor, length, mode)
    this.#fd = memory.fd
    this.#mapping = memory.mapping
    this.#length = length
    this.#name = this.#isOwner ? (nameOrFd as string | null) : undefined
    keepFromCloning(this)
  }

  /**
   * Whether the descriptor is of a region.
   * @throws EBADF if it is closed; ERR_NULL_POINTER
   */
  static isMemoryFile(fd: FileDescriptor): boolean {
    return MemoryFile.getSize(fd) >= 0
  }

  /**
   * The size of the region in bytes; -1 if the descriptor is not of a region.
   * @throws EBADF if it is closed; ERR_NULL_POINTER
   */
  static getSize(fd: FileDescriptor): number {
    return regionSize(borrowFd(fd))
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      name: this.#name,
      length: this.#length,
      access: this.#isOwner ? 'read-write' : 'read-only',
      state: this.isDeactivated() ? 'deactivated' : 'open',
    })
  }

  /**
   * The length given to the constructor, in bytes, also after `close()` (as in older Android; newer versions throw).
   */
  length(): number {
    return this.#length
  }

  /** Unmaps the memory; the descriptor stays open. Reads and writes are ERR_DEACTIVATED from now on. Idempotent. */
  deactivate(): void {
    this.#forgetPlaces()
    this.#mapping.unmap()
  }

  /** Whether it is unmapped, by `deactivate()` or `close()`. */
  isDeactivated(): boolean {
    return !this.#mapping.isMapped
  }

  /** Calls `deactivate()`, then closes the descriptor for every holder of its FileDescriptor. Idempotent. */
  close(): void {
    this.deactivate()
    this.#fd.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /**
   * Copies `count` bytes from `srcOffset` of the file to `destOffset` of the buffer, and returns `count`. 4 or 8
   * aligned bytes are read in one access, so they never mix two writes.
   * @throws ERR_DEACTIVATED; ERR_OUT_OF_RANGE; ERR_PURGED once if the memory was purged and is zeros now
   */
  readBytes(buffer: Uint8Array, srcOffset: number, destOffset: number, count: number): number {
    this.#checkReadable()
    checkBytes('buffer', buffer)
    checkRange('destOffset', destOffset, count, buffer.length)
    if (this.#range.is(srcOffset, count)) this.#range.read(buffer, destOffset)
    else this.#readRange(buffer, srcOffset, destOffset, count)
    return count || 0 // not -0
  }

  /**
   * Copies `count` bytes from `srcOffset` of the buffer to `destOffset` of the file. 4 or 8 aligned bytes are written
   * in one access.
   * @throws ERR_DEACTIVATED; ERR_READ_ONLY for a file made from another's descriptor; ERR_OUT_OF_RANGE; ERR_PURGED once
   */
  writeBytes(buffer: Uint8Array, srcOffset: number, destOffset: number, count: number): void {
    this.#checkWritable()
    checkBytes('buffer', buffer)
    checkRange('srcOffset', srcOffset, count, buffer.length)
    checkRange('destOffset', destOffset, count, this.#length)
    if (this.#pins === null) this.#mapping.write(destOffset, buffer, srcOffset, count)
    else this.#access(() => this.#mapping.write(destOffset, buffer, srcOffset, count))
  }

  /**
   * Reads the big-endian int32 at `offset`, a multiple of 4, in one atomic access. Not in Android.
   * @throws ERR_DEACTIVATED, ERR_OUT_OF_RANGE, ERR_PURGED
   */
  readInt32BE(offset: number): number {
    // The same word again: the last check is still valid, otherwise it would have been forgotten.
    return offset === this.#word.readableAt ? this.#word.read() : this.#readInt32BE(offset)
  }

  /** As {@link readInt32BE}, little-endian. */
  readInt32LE(offset: number): number {
    this.#checkReadable()
    this.#checkIntOffset(offset)
    return this.#access(() => this.#mapping.readInt32LE(offset))
  }

  /**
   * Writes a big-endian int32 at `offset`, a multiple of 4, in one atomic access. Not in Android.
   * @throws ERR_DEACTIVATED, ERR_READ_ONLY, ERR_OUT_OF_RANGE, ERR_PURGED
   */
  writeInt32BE(offset: number, value: number): void {
    if (offset === this.#word.writableAt && typeof value === 'number' && (value | 0) === value) this.#word.write(value)
    else this.#writeInt32BE(offset, value)
  }

  /** As {@link writeInt32BE}, little-endian. */
  writeInt32LE(offset: number, value: number): void {
    this.#checkWritable()
    this.#checkIntOffset(offset)
    checkInt32('value', value)
    this.#access(() => this.#mapping.writeInt32LE(offset, value))
  }

  /** A new stream, with a position of its own that begins at 0. */
  getInputStream(): MemoryInputStream {
    return new MemoryInputStream(this)
  }

  /** A new stream, with a position of its own that begins at 0. */
  getOutputStream(): MemoryOutputStream {
    return new MemoryOutputStream(this)
  }

  /** The last value that `allowPurging` accepted; false at first. */
  isPurgingAllowed(): boolean {
    return this.#pins !== null
  }

  /**
   * Allows or forbids that the memory is purged between two accesses (see `ashmem.purge`). If you forbid it after a
   * purge that no access has reported, no error reports it any more: the memory is zeros.
   * @returns the previous setting
   * @throws ERR_DEACTIVATED after `close()`, even if nothing would change; ERR_UNSUPPORTED_OPERATION for a file made
   *   from another's descriptor, or to allow it after shareReadOnly()
   */
  allowPurging(allow: boolean): boolean {
    this.#checkOpen()
    checkBoolean('allow', allow)
    this.#checkOwner('Only the owner can make ashmem regions purgable.')
    const before = this.isPurgingAllowed()
    if (allow && !before) this.#startPurging()
    if (!allow && before) this.#stopPurging()
    return before
  }

  /**
   * The file's own descriptor object, not a dup: if you close it, you close it for the file. Not valid after `close()`.
   */
  getFileDescriptor(): FileDescriptor {
    return this.#fd
  }

  /**
   * A dup with the same rights (Android shares the file's object here, and loses the region when that is closed). You
   * own it. The duplicate is made only when you ask for its number or the file is closed. If you only write it into a
   * parcel, as Android's sample does, nothing stays open.
   * @throws ERR_DEACTIVATED after `close()`
   */
  getParcelFileDescriptor(): ParcelFileDescriptor {
    this.#checkOpen()
    return new ParcelFileDescriptor(lateDuplicateOf(this.#fd))
  }

  /**
   * A new read-only descriptor, which you own. The first call seals the region against writers: only mappings that
   * exist already, like this file's, can still write. From then on the file cannot be purged.
   * @throws ERR_DEACTIVATED after `close()`; ERR_UNSUPPORTED_OPERATION for a file made from another's descriptor;
   *   ERR_PURGED once; EPERM if another process has frozen the seals; EMFILE
   */
  shareReadOnly(): ParcelFileDescriptor {
    this.#checkOpen()
    this.#checkOwner('Only the owner can seal a region.')
    if (this.#stopPurging()) throw new PurgedError('ashmem region was purged')
    const fd = borrowFd(this.#fd)
    if (!this.#isShared) closeToWriters(fd)
    this.#isShared = true
    return new ParcelFileDescriptor(wrapOwnedFd(openForReaders(fd)))
  }

  #readRange(buffer: Uint8Array, srcOffset: number, destOffset: number, count: number): void {
    checkRange('srcOffset', srcOffset, count, this.#length)
    if (this.#pins !== null) {
      this.#access(() => this.#mapping.read(srcOffset, buffer, destOffset, count))
      return
    }
    // Without purging there is nothing to guard, and this is the path that is taken millions of times.
    this.#mapping.read(srcOffset, buffer, destOffset, count)
    this.#range.onRead(this.#mapping, srcOffset, count)
  }

  #readInt32BE(offset: number): number {
    this.#checkReadable()
    this.#checkIntOffset(offset)
    const value = this.#access(() => this.#mapping.readInt32BE(offset))
    if (this.#pins === null) this.#word.onRead(this.#mapping, offset)
    return value
  }

  #writeInt32BE(offset: number, value: number): void {
    this.#checkWritable()
    this.#checkIntOffset(offset)
    checkInt32('value', value)
    this.#access(() => this.#mapping.writeInt32BE(offset, value))
  }

  /** The next access must be checked again. */
  #forgetPlaces(): void {
    this.#word.forget()
    this.#range.forget()
  }

  #startPurging(): void {
    this.#forgetPlaces()
    if (isSealedForReaders(borrowFd(this.#fd))) {
      throw new UnsupportedOperationError('a region that is sealed for readers cannot be purged')
    }
    this.#pins = RegionPins.of(this.#fd)
    this.#pins.unpin()
  }

  /** Pins for good; true when the memory had been purged. */
  #stopPurging(): boolean {
    const wasPurged = this.#pins?.pin() ?? false
    this.#pins = null
    return wasPurged
  }

  /** Prevents purges while `copy` runs. An earlier purge is reported here, once, because unpinning again forgets it. */
  #access<T>(copy: () => T): T {
    if (this.#pins === null) return copy()
    const wasPurged = this.#pins.pin()
    try {
      if (wasPurged) throw new PurgedError('ashmem region was purged')
      return copy()
    } finally {
      this.#pins.unpin()
    }
  }

  #checkReadable(): void {
    if (this.isDeactivated()) throw new DeactivatedError("Can't read from deactivated memory file.")
  }

  #checkWritable(): void {
    if (this.isDeactivated()) throw new DeactivatedError("Can't write to deactivated memory file.")
    if (!this.#isOwner) throw new ReadOnlyError("Can't write to a memory file of mode 'r'.")
  }

  #checkOpen(): void {
    if (!this.#fd.valid()) throw new DeactivatedError('The memory file is closed.')
  }

  #checkOwner(message: string): void {
    if (!this.#isOwner) throw new UnsupportedOperationError(message)
  }

  #checkIntOffset(offset: number): void {
    checkInteger('offset', offset, 0, this.#length - INT_BYTES)
    if (offset % INT_BYTES !== 0) throw new OutOfRangeError(`offset must be a multiple of 4, got ${offset}`)
  }
}
