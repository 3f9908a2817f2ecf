import { constants, ftruncate, memfdCreate, mmap, type OwnedFd } from '../src/index.ts'

export const PAGE = mmap.PAGESIZE

/** A sealable memfd of `size` bytes, one page if not said otherwise. The caller closes it. */
export function sizedMemfd(size = PAGE): OwnedFd {
  const memfd = memfdCreate('test', constants.MFD_ALLOW_SEALING)
  ftruncate(memfd, size)
  return memfd
}
