/** Anonymous files, their seals, size and mode. Every function borrows the descriptor that it is given. */
import { native, unwrap } from './binding.ts'
import { type Fd, fdNumber, type OwnedFd, ownResult } from './owned-fd.ts'

/**
 * Makes a file of 0 bytes in memory. It exists as long as a descriptor or a mapping of it. Its mode is 0777, so a
 * process that receives any descriptor of it can reopen it for writing; only a seal makes it read-only. You own the
 * descriptor. memfd_create(2)
 * @param name the name that /proc/PID/maps shows, not a path; at most 249 bytes (EINVAL)
 * @param flags `constants.MFD_*`; CLOEXEC is added. Without MFD_ALLOW_SEALING or MFD_NOEXEC_SEAL it cannot be sealed
 */
export function memfdCreate(name: string, flags = 0): OwnedFd {
  return ownResult('memfd_create', native.memfdCreate(name, flags))
}

/**
 * Adds seals. They apply to every process and cannot be removed. F_ADD_SEALS, fcntl(2)
 * @throws SyscallError EPERM if the file has F_SEAL_SEAL, or the descriptor is read-only; EBUSY for F_SEAL_WRITE while
 *   a writable mapping exists; EINVAL if it is not a memfd
 */
export function addSeals(fd: Fd, seals: number): void {
  unwrap('fcntl', native.addSeals(fdNumber(fd), seals))
}

/**
 * The seals of a file, `constants.F_SEAL_*`. A memfd that cannot be sealed has F_SEAL_SEAL; a file that has no seals at
 * all fails with EINVAL. F_GET_SEALS, fcntl(2)
 */
export function getSeals(fd: Fd): number {
  return unwrap('fcntl', native.getSeals(fdNumber(fd)))
}

/** Sets the size in bytes; new bytes are 0. A SHRINK or GROW seal makes it fail with EPERM. ftruncate(2) */
export function ftruncate(fd: Fd, size: number): void {
  unwrap('ftruncate', native.ftruncate(fdNumber(fd), size))
}

/** Allocates pages (mode 0) or frees them (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE), in bytes. fallocate(2) */
export function fallocate(fd: Fd, mode: number, offset: number, length: number): void {
  unwrap('fallocate', native.fallocate(fdNumber(fd), mode, offset, length))
}

/** Sets the permission bits of the file. A later reopen() is checked against them. fchmod(2) */
export function fchmod(fd: Fd, mode: number): void {
  unwrap('fchmod', native.fchmod(fdNumber(fd), mode))
}
