/** Reads a value in the usual case, without the library. If it gives up, the caller uses SharedValue. */
import { Mapping, mmap, type OwnedFd } from 'memfd-native'
import { checkMappable, lookAtRegion } from '../os/region.ts'
import { type Question, tryAsk } from '../service-manager/quick-call.ts'
import type { RegistryPlace } from '../service-manager/registry-path.ts'

const REGION_BYTES = 4

/** A ParcelFileDescriptor without a status channel. */
const GET_FILE_DESCRIPTOR: Question = {
  code: 1,
  token: 'shy.luo.ashmem.IMemoryService',
  args: [],
  answer: [0, 1, 0],
}

/**
 * The value of a service, from its region.
 * @param timeoutMs how long it may take at most, in milliseconds
 * @returns null: declined. Nothing is left open then either. Never throws
 */
export function tryReadValue(place: RegistryPlace, name: string, timeoutMs: number): Promise<number | null> {
  return tryAsk({ place, name, timeoutMs }, GET_FILE_DESCRIPTOR, read)
}

function read(region: OwnedFd): number {
  checkMappable(lookAtRegion(region), REGION_BYTES)
  const mapping = Mapping.map(region, REGION_BYTES, mmap.PROT_READ, mmap.MAP_SHARED)
  const value = mapping.readInt32BE(0)
  mapping.unmap()
  return value
}
