/**
 * The ashmem functions of Android's libcutils (system/core/libcutils, `ashmem_*`), on memfds. If the C functions return
 * -1 and an errno, these throw a SyscallError with that errno: EBADF for a closed descriptor, ENOTTY for one that is
 * not of a region, EINVAL as described below. Arguments that C's types exclude are argument errors
 * (ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE).
 *
 * Unlike the driver's, pin state and mask belong to this process; and a region counts as mapped from birth, so that
 * pinning never fails for want of a mapping.
 */
import { errnos, mmap, SyscallError } from 'memfd-native'
import { checkInteger, INT_MAX } from '../util/check.ts'
import { borrowFd, checkFileDescriptor, type FileDescriptor, wrapOwnedFd } from './file-descriptor.ts'
import { narrowProtMask, protMask } from './prot-mask.ts'
import { purge, RegionPins } from './purging.ts'
import { createRegion, pageCount, regionSize } from './region.ts'

const { EINVAL, ENOTTY } = errnos
const WAS_PURGED = 1
const NOT_PURGED = 0
const IS_PINNED = 1
const IS_UNPINNED = 0

/** The functions of Android's libcutils (ashmem.h), for memfds. Descriptors stay yours. */
export const ashmem = {
  /**
   * A new region of `size` bytes (1 to 2^31-1), zeros, sealed against shrinking and growing; the caller owns it.
   * @param name cut to 249 bytes of whole UTF-8 characters; null is "none".
   * @throws EINVAL a size outside the range; errors of memfd_create(2) and fallocate(2).
   */
  createRegion(name: string | null, size: number): FileDescriptor {
    checkCInteger('size', size)
    if (size <= 0 || size > INT_MAX) throw invalid('ashmem_create_region', `size ${size}`)
    return wrapOwnedFd(createRegion(name, size))
  },

  /** Whether it is an open descriptor of a region. */
  valid(fd: FileDescriptor): boolean {
    checkFileDescriptor('fd', fd)
    return fd.valid() && regionSize(borrowFd(fd)) >= 0
  },

  /** The size in bytes, as it was created: not rounded to pages. */
  getSizeRegion(fd: FileDescriptor): number {
    return checkRegion('ashmem_get_size_region', fd)
  },

  /**
   * Takes rights from future mappings: `prot` is what stays of READ 1, WRITE 2, EXEC 4. Mappings that exist keep theirs.
   * @throws EINVAL a bit that the mask does not have (any more); EPERM when the descriptor cannot seal the region.
   */
  setProtRegion(fd: FileDescriptor, prot: number): void {
    checkRegion('ashmem_set_prot_region', fd)
    checkCInteger('prot', prot)
    if (!narrowProtMask(fd, prot)) throw invalid('ashmem_set_prot_region', `prot ${prot}`)
  },

  /** What future mappings may ask for: 7 when fresh. */
  getProtMask(fd: FileDescriptor): number {
    checkRegion('ashmem_get_prot_mask', fd)
    return protMask(fd)
  },

  /**
   * Pins pages again: they are not purged from now on. Offset and length in bytes, multiples of the page size; length 0
   * reaches to the end. Answers 1 (WAS_PURGED) when any of them was purged meanwhile and so is zeros, which each purged
   * piece tells once; 0 (NOT_PURGED) otherwise.
   * @throws EINVAL no page multiple, or outside the region's pages.
   */
  pinRegion(fd: FileDescriptor, offset: number, length: number): 0 | 1 {
    const { start, end } = pageRange('ashmem_pin_region', fd, offset, length)
    return RegionPins.of(fd).pin(start, end) ? WAS_PURGED : NOT_PURGED
  },

  /** Lets go of pages: they may be purged, see `purge`. Arguments and errors as `pinRegion`. */
  unpinRegion(fd: FileDescriptor, offset: number, length: number): void {
    const { start, end } = pageRange('ashmem_unpin_region', fd, offset, length)
    RegionPins.of(fd).unpin(start, end)
  },

  /** 0 (IS_UNPINNED) when any of the pages is unpinned, 1 (IS_PINNED) otherwise. Arguments and errors as `pinRegion`. */
  getPinStatus(fd: FileDescriptor, offset: number, length: number): 0 | 1 {
    const { start, end } = pageRange('ashmem_get_pin_status', fd, offset, length)
    return RegionPins.of(fd).isPinned(start, end) ? IS_PINNED : IS_UNPINNED
  },

  /**
   * Purges this process's unpinned ranges, the one unpinned longest ago first and each whole, until at least `pages`
   * pages are empty or none is left. They read as zeros then, in every process. Answers how many pages were emptied.
   * Regions that are sealed for readers are passed over.
   */
  purge(pages: number): number {
    checkInteger('pages', pages, 0, Number.MAX_SAFE_INTEGER)
    return purge(pages)
  },

  /** Purges everything of this process that is unpinned. Answers how many pages were emptied. */
  purgeAll(): number {
    return purge(Number.POSITIVE_INFINITY)
  },
}

/** Any whole number: C could have passed it, so its range is the kernel's to judge. */
function checkCInteger(name: string, value: unknown): asserts value is number {
  checkInteger(name, value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
}

/** The size of the region. @throws ENOTTY when it is none. */
function checkRegion(call: string, fd: FileDescriptor): number {
  const size = regionSize(borrowFd(fd))
  if (size < 0) throw new SyscallError(call, ENOTTY)
  return size
}

function pageRange(call: string, fd: FileDescriptor, offset: number, length: number): { start: number; end: number } {
  const pages = pageCount(checkRegion(call, fd))
  checkCInteger('offset', offset)
  checkCInteger('length', length)
  const start = offset / mmap.PAGESIZE
  const end = length === 0 ? pages : start + length / mmap.PAGESIZE
  const isWhole = Number.isInteger(start) && Number.isInteger(end)
  if (!isWhole || start < 0 || length < 0 || start > pages || end > pages) {
    throw invalid(call, `offset ${offset}, length ${length}`)
  }
  return { start, end }
}

function invalid(call: string, detail: string): SyscallError {
  return new SyscallError(call, EINVAL, detail)
}
