/** The seed's interface, shy.luo.ashmem.IMemoryService: a region of 4 bytes with one big-endian int32. */
import { defineInterface } from '../binder/interface.ts'
import { types } from '../binder/parcel-types.ts'

/** The default name of the service. */
export const DEFAULT_SERVICE_NAME = 'AnonymousSharedMemory'

/** Bytes of the region. */
export const REGION_BYTES = 4

/** The memory service of Android's sample, shy.luo.ashmem.IMemoryService. */
export const IMemoryService = defineInterface('shy.luo.ashmem.IMemoryService', {
  /** A read-only descriptor of the region, which the caller owns; null if the service has no region. */
  getFileDescriptor: { code: 1, args: [], returns: types.nullable(types.parcelFileDescriptor) },
  /** Sets the value: -2147483648 to 2147483647. @throws ERR_SECURITY the caller may not write */
  setValue: { code: 2, args: [types.int] },
})
