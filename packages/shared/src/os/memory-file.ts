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
 * Shared memory with the manners of a file (android.os.MemoryFile). The file owns its descriptor and its mapping;
 * `close()` ends both, and other processes keep theirs.
 */
export class MemoryFile {
  readonly #fd: FileDescriptor
  readonly #length: number
  readonly #mapping: Mapping
  readonly #isOwner: boolean
  /** For people; of somebody else's region nobody asks. */
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

  /** Whether it is a descriptor of a region. @throws EBADF when it is closed, ERR_NULL_POINTER. */
  static isMemoryFile(fd: FileDescriptor): boolean {
    return MemoryFile.getSize(fd) >= 0
  }

  /** The region's size in bytes, -1 for a descriptor of anything else. @throws EBADF when it is closed, ERR_NULL_POINTER. */
  static getSize(fd: FileDescriptor): number {
    return regionSize(borrowFd(fd))
  }

  /** For console.log: what it is, in one line. */
  [inspected](): string {
    return introduce(this, {
      name: this.#name,
      length: this.#length,
      access: this.#isOwner ? 'read-write' : 'read-only',
      state: this.isDeactivated() ? 'deactivated' : 'open',
    })
  }

  /** The length given to the constructor, in bytes; also after `close()` (as older Androids; newer ones throw). */
  length(): number {
    return this.#length
  }

  /** Unmaps now; the descriptor stays open. Reads and writes are ERR_DEACTIVATED from here on. Again is harmless. */
  deactivate(): void {
    this.#forgetPlaces()
    this.#mapping.unmap()
  }

  /** Whether it is unmapped, by `deactivate()` or `close()`. */
  isDeactivated(): boolean {
    return !this.#mapping.isMapped
  }

  /** `deactivate()`, then closes the descriptor for every holder of its object. Again is harmless. */
  close(): void {
    this.deactivate()
    this.#fd.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /**
   * Copies `count` bytes from `srcOffset` of the file to `destOffset` of the buffer, and answers `count`.
   * An aligned 4 or 8 bytes are read at once: never half of one write and half of another.
   * @throws ERR_DEACTIVATED; ERR_OUT_OF_RANGE; ERR_PURGED, once, when the memory was purged: it is zeros now.
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
   * Copies `count` bytes from `srcOffset` of the buffer to `destOffset` of the file; an aligned 4 or 8 bytes at once.
   * @throws ERR_DEACTIVATED; ERR_READ_ONLY on a reference; ERR_OUT_OF_RANGE; ERR_PURGED, once.
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
   * The big-endian int32 at `offset`, a multiple of 4, by one atomic access. Not in Android.
   * @throws ERR_DEACTIVATED, ERR_OUT_OF_RANGE, ERR_PURGED
   */
  readInt32BE(offset: number): number {
    // The same word again: what was checked the last time still holds, or it would be forgotten.
    return offset === this.#word.readableAt ? this.#word.read() : this.#readInt32BE(offset)
  }

  /** As {@link readInt32BE}, little-endian. */
  readInt32LE(offset: number): number {
    this.#checkReadable()
    this.#checkIntOffset(offset)
    return this.#access(() => this.#mapping.readInt32LE(offset))
  }

  /**
   * Stores an int32, big-endian, at `offset`, a multiple of 4, by one atomic access. Not in Android.
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

  /** A stream of its own cursor, at 0. */
  getInputStream(): MemoryInputStream {
    return new MemoryInputStream(this)
  }

  /** A stream of its own cursor, at 0. */
  getOutputStream(): MemoryOutputStream {
    return new MemoryOutputStream(this)
  }

  /** What `allowPurging` accepted last; false at first. */
  isPurgingAllowed(): boolean {
    return this.#pins !== null
  }

  /**
   * Lets the memory be purged between two accesses (see `ashmem.purge`), or no more; answers what was allowed before.
   * Disallowing forgets a purge that nobody has seen: the memory is zeros, and no error tells.
   * @throws ERR_DEACTIVATED after `close()`, even when nothing would change; ERR_UNSUPPORTED_OPERATION on a reference, and
   * to allow it for a region that is sealed for readers.
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

  /** The file's own descriptor object, not a dup: who closes it closes it for the file. Not valid after `close()`. */
  getFileDescriptor(): FileDescriptor {
    return this.#fd
  }

  /**
   * A dup, with the rights of the file's own (Android shares the file's object here, and loses the region when that is
   * closed). The caller owns it. It takes a descriptor when its number is asked for, or the file is closed: one that is only
   * written into a parcel, as Android's sample does, leaves nothing behind. @throws ERR_DEACTIVATED after `close()`
   */
  getParcelFileDescriptor(): ParcelFileDescriptor {
    this.#checkOpen()
    return new ParcelFileDescriptor(lateDuplicateOf(this.#fd))
  }

  /**
   * A fresh read-only descriptor, the caller's own. The first call seals the region for readers: nobody can write any more
   * but through mappings that exist, like this file's. From then on the file is not purgeable; it is no more allowed.
   * @throws ERR_DEACTIVATED after `close()`; ERR_UNSUPPORTED_OPERATION on a reference; ERR_PURGED, once; EPERM somebody
   * else has frozen the seals; EMFILE
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

  /** What is accessed next has to be checked again. */
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

  /** Keeps purges away while `copy` runs. A purge before it is reported here, and once: unpinning anew forgets it. */
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
