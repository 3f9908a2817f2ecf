/** A region that holds a copy of some bytes for ever: what `ParcelFileDescriptor.fromData` hands out. */
import { addSeals, constants, fchmod, ftruncate, Mapping, memfdCreate, mmap, type OwnedFd, reopen } from 'memfd-native'
import { InvalidArgValueError } from '../errors.ts'

const { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, MFD_ALLOW_SEALING } = constants
const OWNER_MAY_READ = 0o400
const O_RDONLY = 0

/**
 * A sealed region with these bytes; the descriptor is the caller's and can only be read.
 * @throws ERR_INVALID_ARG_VALUE for no bytes at all: a region has at least one; the errno's code (ENOMEM, EMFILE).
 */
export function dataRegion(bytes: Uint8Array, name: string): OwnedFd {
  if (bytes.length === 0) throw new InvalidArgValueError('Size must be greater than zero')
  using region = memfdCreate(name, MFD_ALLOW_SEALING)
  ftruncate(region, bytes.length)
  fill(region, bytes)
  // A fully write-sealed region can be mapped through a read-only descriptor alone on kernels before 6.7.
  addSeals(region, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
  fchmod(region, OWNER_MAY_READ)
  return reopen(region, O_RDONLY)
}

function fill(region: OwnedFd, bytes: Uint8Array): void {
  using mapping = Mapping.map(region, bytes.length, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
  mapping.write(0, bytes, 0, bytes.length)
}
