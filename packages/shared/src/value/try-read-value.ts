/** Reads a value in the usual case, without the library. What it declines SharedValue is to be asked. */
import { Mapping, mmap, type OwnedFd } from 'memfd-native'
import { checkMappable } from '../os/region.ts'
import { type Question, type QuickAddress, tryAsk } from '../service-manager/quick-call.ts'

const REGION_BYTES = 4

/** A ParcelFileDescriptor without a status channel. */
const GET_FILE_DESCRIPTOR: Question = {
  code: 1,
  token: 'shy.luo.ashmem.IMemoryService',
  args: [],
  answer: [0, 1, 0],
}

/** The value of a service, from its region. @returns null: declined. Nothing is left open then either. Never throws */
export function tryReadValue(address: QuickAddress): Promise<number | null> {
  return tryAsk(address, GET_FILE_DESCRIPTOR, read)
}

function read(region: OwnedFd): number {
  checkMappable(region, REGION_BYTES)
  const mapping = Mapping.map(region, REGION_BYTES, mmap.PROT_READ, mmap.MAP_SHARED)
  const value = mapping.readInt32BE(0)
  mapping.unmap()
  return value
}
