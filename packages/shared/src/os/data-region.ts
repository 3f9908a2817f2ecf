/** A region with an unchangeable copy of some bytes, for `ParcelFileDescriptor.fromData`. */
import { Mapping, mmap, type OwnedFd } from 'memfd-native'
import { closing } from '../util/closing.ts'
import { InvalidArgValueError } from '../util/errors.ts'
import { closeToWriters, createRegion, openForReaders } from './region.ts'

/**
 * A region with these bytes, sealed for readers; the descriptor is the caller's and read-only. Nobody can write to it.
 * @throws ERR_INVALID_ARG_VALUE for no bytes at all: a region has at least one; otherwise as {@link createRegion}.
 */
export function dataRegion(bytes: Uint8Array, name: string | null): OwnedFd {
  if (bytes.length === 0) throw new InvalidArgValueError('Size must be greater than zero')
  return closing(createRegion(name, bytes.length), (region) => {
    closing(mapToWrite(region, bytes.length), (mapping) => mapping.write(0, bytes, 0, bytes.length))
    closeToWriters(region)
    return openForReaders(region)
  })
}

function mapToWrite(region: OwnedFd, length: number): Mapping {
  return Mapping.map(region, length, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
}
