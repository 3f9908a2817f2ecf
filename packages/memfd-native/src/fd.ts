/**
 * Descriptors of any kind. Every function borrows the descriptor that it is given; a new one belongs to the caller and
 * is CLOEXEC. A closed descriptor is the SyscallError EBADF.
 */
import { type FileStatus, native, unwrap } from './binding.ts'
import { errnos } from './errnos.ts'
import { type Fd, fdNumber, type OwnedFd, ownPair, ownResult } from './owned-fd.ts'

export type { FileStatus } from './binding.ts'

/** 0 to 2 have a meaning even when they are free. */
const LOWEST_FD = 3

/**
 * A second descriptor of the same open file, which shares offset, flags and locks. You own it. F_DUPFD_CLOEXEC,
 * fcntl(2)
 * @param lowest the number is the first free one from here on
 * @throws SyscallError EMFILE if no number is free; EINVAL if `lowest` is beyond RLIMIT_NOFILE
 */
export function dup(fd: Fd, lowest = LOWEST_FD): OwnedFd {
  return ownResult('fcntl', native.dup(fdNumber(fd), lowest))
}

/**
 * Opens the same file again through /proc/self/fd. The new open file has its own offset, flags and locks, and the
 * access that `flags` ask for (open(2), `constants.O_*`; O_CLOEXEC is added). The mode of the file decides whether that
 * is allowed, not how `fd` was opened. You own the descriptor.
 */
export function reopen(fd: Fd, flags: number): OwnedFd {
  return ownResult('open', native.reopen(fdNumber(fd), flags))
}

/**
 * Moves the file offset, which all dups share.
 * @returns the new offset, in bytes from the beginning. lseek(2)
 */
export function lseek(fd: Fd, offset: number, whence: number): number {
  return unwrap('lseek', native.lseek(fdNumber(fd), offset, whence))
}

/**
 * The identity of a file (dev and ino together), its mode, links, owner, size in bytes, and blocks of 512 bytes.
 * fstat(2)
 */
export function fstat(fd: Fd): FileStatus {
  unwrap('fstat', native.fstat(fdNumber(fd), told))
  return toldStatus()
}

/**
 * The status of the file at a path; of a symbolic link, that of the file that it leads to. `statSync` of node:fs tells more, but a program
 * that has just started waits until Node.js has compiled it. stat(2)
 * @throws SyscallError ENOENT, ENOTDIR, EACCES or ELOOP if the file cannot be seen; ENOENT also for a path with a NUL;
 *   TypeError (ERR_INVALID_ARG_TYPE) if the path is no string
 */
export function stat(path: string): FileStatus {
  unwrap('stat', native.pathStatus(path, true, told))
  return toldStatus()
}

/** As `stat`, but of a symbolic link it tells the status of the link itself. lstat(2) @throws as stat */
export function lstat(path: string): FileStatus {
  unwrap('lstat', native.pathStatus(path, false, told))
  return toldStatus()
}

function toldStatus(): FileStatus {
  return {
    dev: told[0] as number,
    ino: told[1] as number,
    mode: told[2] as number,
    nlink: told[3] as number,
    uid: told[4] as number,
    size: told[5] as number,
    blocks: told[6] as number,
  }
}

/** What the last call has told: `fstat`, `stat` or `lstat`. */
const told = new Float64Array(7)

/**
 * A text that identifies the file at a path and its last change (device, inode, time). If two texts are equal, the file
 * is the same and unchanged. null if the file cannot be seen. stat(2)
 */
export function fileIdentity(path: string): string | null {
  const result = native.fileIdentity(path)
  return typeof result === 'string' ? result : null
}

/** Turns O_NONBLOCK on or off, for every holder of this open file. ioctl_tty(2), FIONBIO */
export function setNonBlocking(fd: Fd, on: boolean): void {
  unwrap('ioctl', native.setNonBlocking(fdNumber(fd), on))
}

/** A pipe: [read end, write end]. `flags`: O_NONBLOCK; O_CLOEXEC is added. pipe(2) */
export function pipe(flags = 0): [OwnedFd, OwnedFd] {
  return ownPair('pipe2', native.pipe(flags))
}

/**
 * Locks the whole file for this open file, until its last descriptor is closed.
 * @returns false if another open file holds the lock. flock(2)
 */
export function lockFile(fd: Fd): boolean {
  const result = native.lockFile(fdNumber(fd))
  if (result === errnos.EAGAIN) return false
  unwrap('flock', result)
  return true
}
