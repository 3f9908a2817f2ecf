/**
 * The only way into a parcel for the layers above: its bytes, and what its objects are. What travels for an object is
 * written by those layers into a copy of the bytes; a parcel knows no channel.
 */
import { closeContents, type ParcelObject } from './object-table.ts'
import { Parcel } from './parcel.ts'
import type { ReceivedData } from './parcel-buffer.ts'
import { bufferOf } from './parcel-values.ts'

export { descriptorOf, type ParcelObject } from './object-table.ts'
export type { ReceivedData } from './parcel-buffer.ts'

/** The contents of a parcel, borrowed. */
export interface ParcelContents {
  /** The storage: its first `size` bytes are the parcel's data, and zeros up to a multiple of 4. */
  readonly bytes: Buffer
  readonly size: number
  /** Ascending by offset. Descriptors still belong to the parcel. */
  readonly objects: readonly ParcelObject[]
}

/** A look at the contents, which holds until the parcel is changed or recycled. Check `dataSize()` against the limit first. */
export function parcelContents(parcel: Parcel): ParcelContents {
  const buffer = bufferOf(parcel)
  const size = Math.ceil(buffer.size / 4) * 4
  return { bytes: buffer.padded(size), size, objects: buffer.objects.entries }
}

/**
 * A parcel of bytes and objects that were received, at position 0. Takes over the descriptors of `objects`, which are
 * ascending by offset and checked: aligned, apart, and inside the data.
 */
export function parcelFromWire(data: ReceivedData, objects: ParcelObject[]): Parcel {
  const parcel = Parcel.obtain()
  bufferOf(parcel).replace(data, objects)
  return parcel
}

/**
 * Fills a parcel that its owner has waiting, as {@link parcelFromWire}; what it held before is dropped, descriptors closed.
 * @throws ERR_CLOSED when it was recycled meanwhile; the descriptors of `objects` are closed then too.
 */
export function replaceContents(parcel: Parcel, data: ReceivedData, objects: ParcelObject[]): void {
  try {
    bufferOf(parcel).replace(data, objects)
  } catch (error) {
    objects.forEach(closeContents)
    throw error
  }
}
