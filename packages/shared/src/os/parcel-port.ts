/**
 * What the classes of this folder need from a parcel to be written to it and read back. `Parcel`, in the layer above,
 * implements it; the interfaces here correspond to `Parcelable` and its `Creator` there.
 */
import type { OwnedFd } from 'memfd-native'
import { show } from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'
import type { FileDescriptor } from './file-descriptor.ts'

/** A flag of `writeToParcel`: the value is the result of a function, so the writer may close it. */
export const PARCELABLE_WRITE_RETURN_VALUE = 1

/** A result of `describeContents`: a descriptor is among the contents. */
export const CONTENTS_FILE_DESCRIPTOR = 1

/** Where a descriptor is written. */
export interface DescriptorSink {
  /** -2^31 to 2^31 - 1. */
  writeInt(value: number): void
  /** Writes a duplicate: `fd` stays the caller's. @throws EBADF when closed, EMFILE */
  writeFileDescriptor(fd: FileDescriptor): void
  /** Writes the descriptor itself, which the sink owns from here on. */
  writeOwnedFd(fd: OwnedFd): void
}

/** A parcel, or what passes for one. @throws ERR_INVALID_ARG_TYPE */
export function checkSink(parcel: unknown): void {
  const sink = parcel as DescriptorSink | null | undefined
  const isSink = typeof sink?.writeInt === 'function' && typeof sink.writeFileDescriptor === 'function'
  if (!isSink) throw new InvalidArgTypeError(`parcel must be a Parcel, got ${show(parcel)}`)
}

/** Where a descriptor is read. */
export interface DescriptorSource {
  /** -2^31 to 2^31 - 1. */
  readInt(): number
  /** A duplicate of the descriptor at the position, the caller's own. @throws ERR_BAD_PARCEL when none is there */
  readOwnedFd(): OwnedFd
  /**
   * Takes the descriptor out of the source; the caller owns it.
   * @throws ERR_BAD_PARCEL if there is none
   */
  takeOwnedFd(): OwnedFd
}

/** Reads values back that were written into a parcel. */
export interface DescriptorCreator<T> {
  /** Reads what `writeToParcel` wrote, at the position. */
  createFromParcel(parcel: DescriptorSource): T
}
