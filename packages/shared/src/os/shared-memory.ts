/** Android's SharedMemory (API 27 and later) on a memfd. */
import {
  dispose,
  errnos,
  type Fd,
  inspected,
  introduce,
  keepFromCloning,
  Mapping,
  mmap,
  OwnedFd,
  SyscallError,
} from 'memfd-native'
import { checkInteger, INT_MAX, show } from '../util/check.ts'
import { closing } from '../util/closing.ts'
import { ClosedError, errorCode, InvalidArgTypeError, InvalidArgValueError, NotARegionError } from '../util/errors.ts'
import { borrowFd, type FileDescriptor, wrapOwnedFd } from './file-descriptor.ts'
import { own, ParcelFileDescriptor } from './parcel-file-descriptor.ts'
import { CONTENTS_FILE_DESCRIPTOR, checkSink, type DescriptorCreator, type DescriptorSink } from './parcel-port.ts'
import { narrowProtMask, PROT_ALL, protMask } from './prot-mask.ts'
import { checkMappable, createRegion, lookAtRegion } from './region.ts'
import { SharedMapping } from './shared-mapping.ts'

const { MAP_SHARED, PROT_READ, PROT_WRITE } = mmap

/**
 * Shared memory that you can map in parts and send to other processes (android.os.SharedMemory). It owns its descriptor
 * until `close()`. Its mappings are independent and stay valid. After `close()` all methods throw ERR_CLOSED unless
 * they say otherwise.
 */
export class SharedMemory {
  /**
   * Reads the descriptor that `writeToParcel` wrote. You own the result.
   * @throws ERR_BAD_PARCEL if no descriptor is there; otherwise as {@link fromFileDescriptor}
   */
  static readonly CREATOR: DescriptorCreator<SharedMemory> = {
    createFromParcel: (parcel) => SharedMemory.fromFileDescriptor(own(parcel.readOwnedFd())),
  }

  readonly #fd: FileDescriptor
  readonly #size: number

  private constructor(region: OwnedFd, size: number) {
    this.#fd = wrapOwnedFd(region)
    this.#size = size
    keepFromCloning(this)
  }

  /**
   * A new region of `size` bytes (1 to 2^31-1), filled with zeros. You close it.
   * @param name cut to 249 bytes of whole UTF-8 characters
   * @throws ERR_INVALID_ARG_VALUE for a bad size, or a NUL in the name; errors of memfd_create(2) and fallocate(2)
   */
  static create(name: string | null, size: number): SharedMemory {
    checkInteger('size', size, 1, INT_MAX, InvalidArgValueError)
    return new SharedMemory(createRegion(name, size), size)
  }

  /**
   * Takes over a descriptor of a region: `pfd` is closed afterwards, also if the region is refused.
   * @throws ERR_INVALID_ARG_VALUE for null or a closed descriptor; ERR_NOT_A_REGION; ERR_UNSAFE_REGION if it can
   *   shrink, or is empty
   */
  static fromFileDescriptor(pfd: ParcelFileDescriptor | null): SharedMemory {
    return closing(OwnedFd.adopt(checkOpenDescriptor(pfd).detachFd()), (region) => {
      const look = lookAtRegion(region)
      const { size } = look
      if (size < 0) throw new NotARegionError('FileDescriptor is not a valid ashmem fd')
      checkMappable(look, 1)
      return new SharedMemory(OwnedFd.adopt(region.release()), Math.min(size, INT_MAX))
    })
  }

  /**
   * Ends a mapping: it throws ERR_CLOSED from now on. Idempotent.
   * @throws ERR_INVALID_ARG_VALUE
   */
  static unmap(mapping: SharedMapping): void {
    if (!(mapping instanceof SharedMapping)) {
      throw new InvalidArgValueError(`mapping must be one that map() returned, got ${show(mapping)}`)
    }
    mapping.unmap()
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { size: this.#size, fd: this.#fd.getInt(), state: this.#fd.valid() ? 'open' : 'closed' })
  }

  /**
   * Removes rights from future mappings: READ and EXEC only for this object, WRITE in every process, because it is a
   * seal. Mappings that exist keep their rights. A right never comes back: if `prot` has one that was removed, nothing
   * changes. A receiver of the descriptor starts with READ and EXEC, and with WRITE if it was not removed.
   * @param prot the rights that stay: READ 1, WRITE 2, EXEC 4, NONE 0
   * @returns false if `prot` has a right that was removed
   * @throws ERR_CLOSED, ERR_INVALID_ARG_VALUE
   */
  setProtect(prot: number): boolean {
    this.#checkOpen()
    checkProt(prot)
    try {
      return narrowProtMask(this.#fd, prot)
    } catch (error) {
      if (error instanceof SyscallError) return false // as in Android: not applied, whatever the reason
      throw error
    }
  }

  /** The size in bytes, as created; at most 2^31-1. */
  getSize(): number {
    this.#checkOpen()
    return this.#size
  }

  /**
   * Maps the whole region for reading.
   * @throws as {@link map}
   */
  mapReadOnly(): SharedMapping {
    return this.map(PROT_READ, 0, this.getSize())
  }

  /**
   * Maps the whole region for reading and writing.
   * @throws as {@link map}
   */
  mapReadWrite(): SharedMapping {
    return this.map(PROT_READ | PROT_WRITE, 0, this.getSize())
  }

  /**
   * Maps `length` bytes from `offset`, which must be a multiple of the page size. You own the mapping, and end it with
   * `SharedMemory.unmap`. It is read-only if `prot` lacks WRITE.
   * @throws in this order: ERR_CLOSED; ERR_INVALID_ARG_VALUE for a bad prot, offset or length, or a sum beyond the
   *   size; EPERM if `prot` has rights that were removed; EINVAL if the offset is not a multiple of the page size;
   *   other errors of mmap(2)
   */
  map(prot: number, offset: number, length: number): SharedMapping {
    this.#checkOpen()
    checkProt(prot)
    checkInteger('offset', offset, 0, INT_MAX, InvalidArgValueError)
    checkInteger('length', length, 1, INT_MAX, InvalidArgValueError)
    if (offset + length > this.#size) throw new InvalidArgValueError('offset + length must not exceed getSize()')
    if ((prot & ~protMask(this.#fd)) !== 0) throw new SyscallError('mmap', errnos.EPERM)
    return new SharedMapping(mapRegion(borrowFd(this.#fd), prot, offset, length), prot)
  }

  /** The region's own descriptor object, not a dup: if you close it, the region loses it. Not valid after `close()`. */
  getFileDescriptor(): FileDescriptor {
    return this.#fd
  }

  /** The descriptor number, which still belongs to this object; -1 after `close()`. */
  getFd(): number {
    return this.#fd.getInt()
  }

  /** A dup, which shares the file offset. You own it. */
  getFdDup(): ParcelFileDescriptor {
    this.#checkOpen()
    return ParcelFileDescriptor.dup(this.#fd)
  }

  /** Closes the descriptor for every holder of its FileDescriptor. Mappings stay valid. Idempotent. */
  close(): void {
    this.#fd.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /** Says that a descriptor is among the contents, also after `close()`. */
  describeContents(): number {
    return CONTENTS_FILE_DESCRIPTOR
  }

  /**
   * Writes the descriptor, which the parcel dups, without the name and the rights. This object stays open, whatever the
   * flags are.
   */
  writeToParcel(parcel: DescriptorSink, _flags: number): void {
    this.#checkOpen()
    checkSink(parcel)
    parcel.writeFileDescriptor(this.#fd)
  }

  #checkOpen(): void {
    if (!this.#fd.valid()) throw new ClosedError('SharedMemory is closed')
  }
}

function checkOpenDescriptor(pfd: ParcelFileDescriptor | null): ParcelFileDescriptor {
  if (pfd === null) throw new InvalidArgValueError('Unable to create SharedMemory from a null FileDescriptor')
  if (!(pfd instanceof ParcelFileDescriptor)) {
    throw new InvalidArgTypeError(`pfd must be a ParcelFileDescriptor, got ${show(pfd)}`)
  }
  if (!pfd.getFileDescriptor().valid()) {
    throw new InvalidArgValueError('Unable to create SharedMemory from closed FileDescriptor')
  }
  return pfd
}

function checkProt(prot: number): void {
  checkInteger('prot', prot, 0, PROT_ALL, InvalidArgValueError)
}

function mapRegion(fd: Fd, prot: number, offset: number, length: number): Mapping {
  try {
    return Mapping.map(fd, length, prot, MAP_SHARED, offset)
  } catch (error) {
    // A read-only descriptor of a region that is not sealed: ashmem has one errno for a right that is missing.
    if (errorCode(error) === 'EACCES') throw new SyscallError('mmap', errnos.EPERM)
    throw error
  }
}
