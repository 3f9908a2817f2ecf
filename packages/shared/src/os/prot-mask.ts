/**
 * The protection mask of a region, as ashmem has it: what new mappings may ask for. It can only lose bits. Losing WRITE
 * is a seal, which the kernel enforces for every process. Linux has no seal for READ and EXEC: their loss is recorded
 * with the FileDescriptor and holds for this object only; a receiver of a descriptor derives the mask from the seals.
 */
import { mmap } from 'memfd-native'
import { borrowFd, type FileDescriptor } from './file-descriptor.ts'
import { isSealedForReaders, sealForReaders } from './region.ts'

const { PROT_EXEC, PROT_READ, PROT_WRITE } = mmap

/** Every bit a mask can have. */
export const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC

const recorded = new WeakMap<FileDescriptor, number>()

/** The mask now. @throws EBADF */
export function protMask(fd: FileDescriptor): number {
  const mask = recorded.get(fd) ?? PROT_ALL
  return isSealedForReaders(borrowFd(fd)) ? mask & ~PROT_WRITE : mask
}

/**
 * Sets the mask; false, and nothing changes, when `prot` has a bit that the mask has lost.
 * Mappings that exist keep their rights.
 * @throws EBADF; EPERM when the region cannot be sealed through this descriptor.
 */
export function narrowProtMask(fd: FileDescriptor, prot: number): boolean {
  if ((prot & ~protMask(fd)) !== 0) return false
  if ((prot & PROT_WRITE) === 0) sealForReaders(borrowFd(fd))
  recorded.set(fd, prot)
  return true
}
