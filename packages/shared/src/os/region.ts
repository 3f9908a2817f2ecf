/**
 * A region is memory that has no name in any file system (a memfd), made so that others can map it without risk:
 * its size is frozen and its pages exist from the start. The seals come in two steps. SHRINK|GROW at birth: nobody can
 * cut pages off under a mapping. FUTURE_WRITE|SEAL once it is for readers: from then on only mappings that already
 * exist can write, and nobody can add or lift a seal, root included.
 *
 * A region is either sealed for readers or purgeable by its owner, never both: Linux refuses to punch holes in a
 * region that is sealed against writers.
 */
import { constants as fsConstants } from 'node:fs'
import { TextEncoder } from 'node:util'
import {
  addSeals,
  constants,
  type Fd,
  fallocate,
  fchmod,
  fstat,
  ftruncate,
  getSeals,
  memfdCreate,
  mmap,
  OwnedFd,
  reopen,
} from 'memfd-native'
import { checkString } from '../util/check.ts'
import { closing } from '../util/closing.ts'
import { errorCode, InvalidArgValueError, UnsafeRegionError } from '../util/errors.ts'

const { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE } = constants
const { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL } = constants

/** memfd_create(2): the name shows up as "memfd:NAME", within NAME_MAX. */
const NAME_MAX_BYTES = 249

/**
 * A new region of `size` bytes, all zeros, sealed against shrinking and growing. The caller owns the descriptor.
 * @param name for people who read /proc/PID/maps; longer than 249 bytes of UTF-8 it is cut, null is "none".
 * @throws ERR_INVALID_ARG_VALUE a NUL in the name; ENOMEM, ENOSPC, EMFILE and others as memfd_create(2), fallocate(2).
 */
export function createRegion(name: string | null, size: number): OwnedFd {
  return closing(createMemfd(cutName(name)), (region) => {
    ftruncate(region, size)
    // A full machine fails here, with an error, and not later by SIGBUS at the first touch of a page.
    fallocate(region, 0, 0, size)
    addSeals(region, F_SEAL_SHRINK | F_SEAL_GROW)
    return OwnedFd.adopt(region.release())
  })
}

/**
 * The size of a region in bytes, or -1 if the descriptor is of something else.
 * @throws EBADF if it is not open
 */
export function regionSize(fd: Fd): number {
  const { mode, dev, size } = fstat(fd)
  const isFile = (mode & fsConstants.S_IFMT) === fsConstants.S_IFREG
  return isFile && dev === memfdDevice() ? size : -1
}

/** Whether nobody can make a new writable mapping of it, or write to it by any other call. */
export function isSealedForReaders(fd: Fd): boolean {
  return (getSeals(fd) & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE)) !== 0
}

/**
 * Seals a region against writers; existing writable mappings stay writable. Idempotent.
 * @throws EPERM if another process has frozen the seals, or the descriptor is read-only
 */
export function sealForReaders(fd: Fd): void {
  const wanted = isSealedForReaders(fd) ? F_SEAL_SEAL : F_SEAL_FUTURE_WRITE | F_SEAL_SEAL
  // After F_SEAL_SEAL every F_ADD_SEALS is EPERM, even for seals that are set: ask first.
  const missing = wanted & ~getSeals(fd)
  if (missing !== 0) addSeals(fd, missing)
}

/**
 * Seals a region against writers, and makes its inode read-only. A writer must have mapped it before.
 * @throws as {@link sealForReaders}, fchmod(2).
 */
export function closeToWriters(fd: Fd): void {
  sealForReaders(fd)
  // The seals are the guarantee. The mode prevents other users from opening it read-write, and from adding extended
  // attributes to the inode, which would use kernel memory of this user.
  fchmod(fd, 0o400)
}

/**
 * Opens a region once more, read-only: a fresh description, whose offset, flags and locks are the receiver's alone. The
 * caller owns the answer, and has closed the region to writers before. @throws open(2).
 */
export function openForReaders(fd: Fd): OwnedFd {
  return reopen(fd, fsConstants.O_RDONLY)
}

/** For another process's region, or something that is not a region. */
export interface RegionLook {
  /** `F_SEAL_*`. Looked at first: a size that was seen when nobody could shrink it any more is the least there will be. */
  readonly seals: number
  /** As `regionSize`. */
  readonly size: number
}

/** @throws EBADF */
export function lookAtRegion(fd: Fd): RegionLook {
  return { seals: sealsOf(fd), size: regionSize(fd) }
}

/**
 * No seals for files that cannot have any, and for a path (O_PATH). A descriptor that is not open fails when its size
 * is read.
 */
function sealsOf(fd: Fd): number {
  try {
    return getSeals(fd)
  } catch (error) {
    if (!['EINVAL', 'EBADF'].includes(errorCode(error) ?? '')) throw error
    return 0
  }
}

/**
 * Checks another process's region before it is mapped: it must not be able to shrink, and must be as long as claimed.
 * Touching pages beyond the end would kill the process (SIGBUS).
 * @throws ERR_UNSAFE_REGION
 */
export function checkMappable({ seals, size }: RegionLook, length: number): void {
  if ((seals & F_SEAL_SHRINK) === 0) throw new UnsafeRegionError('the region can shrink while it is mapped')
  // Of huge pages a hole can be SIGBUS, and a seal forbids no hole.
  if (size < 0) throw new UnsafeRegionError('the region has huge pages, which its owner can take away')
  if (length > size) throw new UnsafeRegionError(`the region has ${size} bytes, not ${length}`)
}

/** The number of pages that `size` bytes take. */
export function pageCount(size: number): number {
  return Math.ceil(size / mmap.PAGESIZE)
}

/**
 * Gives the pages [first, end) back to the kernel; they read as zeros, in every mapping. Whole pages, also where the
 * region ends within one: its tail is shared memory too. @throws EPERM sealed for readers; EBADF a read-only descriptor.
 */
export function punchPages(fd: Fd, first: number, end: number): void {
  const { PAGESIZE } = mmap
  fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * PAGESIZE, (end - first) * PAGESIZE)
}

function createMemfd(name: string): OwnedFd {
  try {
    return memfdCreate(name, MFD_NOEXEC_SEAL)
  } catch (error) {
    if (errorCode(error) !== 'EINVAL') throw error
    return memfdCreate(name, MFD_ALLOW_SEALING) // before Linux 6.3
  }
}

/** `encodeInto` never writes a part of a character. */
function cutName(name: string | null): string {
  if (name === null) return 'none'
  checkString('name', name)
  if (name.includes('\0')) throw new InvalidArgValueError('name must not contain a NUL character')
  const { read } = new TextEncoder().encodeInto(name, new Uint8Array(NAME_MAX_BYTES))
  return name.slice(0, read)
}

let knownDevice: number | undefined

/**
 * All memfds are on one mount inside the kernel, on which nobody can open a path, so its device number identifies a
 * memfd. The link text "/memfd:NAME (deleted)" does not: a deleted file of that name on a tmpfs shows the same.
 */
function memfdDevice(): number {
  knownDevice ??= probeDevice()
  return knownDevice
}

function probeDevice(): number {
  return closing(memfdCreate('probe'), (probe) => fstat(probe).dev)
}
