/** Anonymous files, their seals, size and mode. Every function borrows the descriptor that it is given. */
import { native, unwrap } from './binding.ts'
import { type Fd, fdNumber, type OwnedFd, ownResult } from './owned-fd.ts'

/**
 * A new file of 0 bytes that lives in memory, as long as a descriptor or mapping of it does. Its mode is 0777, so that
 * whoever receives any descriptor of it may reopen it for writing: only a seal makes it read-only. memfd_create(2)
 *
 * @param name shows in /proc/PID/maps and is no path; at most 249 bytes (EINVAL)
 * @param flags `constants.MFD_*`; CLOEXEC is added. Without MFD_ALLOW_SEALING or MFD_NOEXEC_SEAL it cannot be sealed.
 */
export function memfdCreate(name: string, flags = 0): OwnedFd {
  return ownResult('memfd_create', native.memfdCreate(name, flags))
}

/**
 * Adds seals, for everybody and for ever. F_ADD_SEALS, fcntl(2)
 *
 * @throws SyscallError EPERM when the file has F_SEAL_SEAL or the descriptor is read-only; EBUSY for F_SEAL_WRITE while
 * a writable mapping exists; EINVAL when it is no memfd
 */
export function addSeals(fd: Fd, seals: number): void {
  unwrap('fcntl', native.addSeals(fdNumber(fd), seals))
}

/** The seals, `constants.F_SEAL_*`. A file that is not sealable answers F_SEAL_SEAL, one that knows no seals is EINVAL. */
export function getSeals(fd: Fd): number {
  return unwrap('fcntl', native.getSeals(fdNumber(fd)))
}

/** Sets the size in bytes; what is new reads as 0. EPERM against a SHRINK or GROW seal. ftruncate(2) */
export function ftruncate(fd: Fd, size: number): void {
  unwrap('ftruncate', native.ftruncate(fdNumber(fd), size))
}

/** Allocates pages (mode 0) or frees them (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE), in bytes. fallocate(2) */
export function fallocate(fd: Fd, mode: number, offset: number, length: number): void {
  unwrap('fallocate', native.fallocate(fdNumber(fd), mode, offset, length))
}

/** Sets the permission bits that a later reopen is checked against. fchmod(2) */
export function fchmod(fd: Fd, mode: number): void {
  unwrap('fchmod', native.fchmod(fdNumber(fd), mode))
}
