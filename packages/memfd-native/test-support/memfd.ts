import { addSeals, constants, ftruncate, memfdCreate, mmap, type OwnedFd } from '../src/index.ts'

export const PAGE = mmap.PAGESIZE

/** A sealable memfd of `size` bytes, one page if not said otherwise. The caller closes it. */
export function sizedMemfd(size = PAGE): OwnedFd {
  const memfd = memfdCreate('test', constants.MFD_ALLOW_SEALING)
  ftruncate(memfd, size)
  return memfd
}

/** One huge page that cannot shrink; null where the kernel has none. Mapped, it may need pages that nobody has set aside. */
export function hugeMemfd(): OwnedFd | null {
  try {
    const memfd = memfdCreate('huge', constants.MFD_ALLOW_SEALING | constants.MFD_HUGETLB)
    ftruncate(memfd, 2 << 20)
    addSeals(memfd, constants.F_SEAL_SHRINK)
    return memfd
  } catch {
    return null
  }
}
