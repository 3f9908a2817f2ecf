/** What can be told about a region from the outside, for people and for `--json`. */
import { constants, fstat, getSeals } from 'memfd-native'
import { borrowFd, type FileDescriptor } from './file-descriptor.ts'

export interface RegionStatus {
  /** The descriptor's number in the process that tells. */
  readonly fd: number
  /** The same in every process that holds the region: proof that they share it. */
  readonly inode: number
  /** F_SEAL_ bits, fcntl(2). */
  readonly seals: number
  /** In bytes. */
  readonly size: number
}

/** @throws EBADF if the descriptor is closed; EINVAL if it has no seals, so it is not of a region */
export function regionStatus(fd: FileDescriptor): RegionStatus {
  const owned = borrowFd(fd)
  const { ino, size } = fstat(owned)
  return { fd: fd.getInt(), inode: ino, seals: getSeals(owned), size }
}

/** `SEAL SHRINK GROW`: fcntl(2)'s names without their F_SEAL_. */
export function sealNames(seals: number): string {
  const names = Object.entries(constants).filter(([key, bit]) => key.startsWith('F_SEAL_') && (seals & bit) !== 0)
  return names.map(([key]) => key.slice('F_SEAL_'.length)).join(' ') || 'none'
}
