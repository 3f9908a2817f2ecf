/**
 * The only way into a parcel for the layers above: its bytes, and what its objects are. What travels for an object is
 * written by those layers into a copy of the bytes; a parcel knows no channel.
 */
import type { Buffer } from 'node:buffer'
import { NO_OBJECTS } from '../util/empty-lists.ts'
import { type BinderSource, dropObjects, type ParcelObject, type WrittenObject } from './object-table.ts'
import { Parcel } from './parcel.ts'
import type { ReceivedData } from './parcel-buffer.ts'
import { bufferOf, waitingBufferOf } from './parcel-values.ts'

/** To copy fewer takes less than to lend them; and no packet is shared with so many: see `Pack`. */
const LENT_BYTES = 32 * 1024

export {
  type BinderSource,
  descriptorOf,
  type ParcelObject,
  type ReceivedBinder,
  type WrittenObject,
} from './object-table.ts'
export type { ReceivedData } from './parcel-buffer.ts'

/** The contents of a parcel, borrowed. */
export interface ParcelContents {
  /** The storage: its first `size` bytes are the parcel's data, and zeros up to a multiple of 4. */
  readonly bytes: Buffer
  readonly size: number
  /** Ascending by offset. Descriptors still belong to the parcel; binders that came with it have been opened. */
  readonly objects: readonly WrittenObject[]
  /** Behind those bytes; null: nothing. */
  readonly lent: Uint8Array | null
}

/** A look at the contents, which holds until the parcel is changed or recycled. Check `dataSize()` against the limit first. */
export function parcelContents(parcel: Parcel): ParcelContents {
  const buffer = bufferOf(parcel)
  const size = Math.ceil(buffer.size / 4) * 4
  const { objects, lent } = buffer
  return { bytes: buffer.padded(size), size, objects: objects.isEmpty ? NO_OBJECTS : objects.written, lent }
}

/** The parcel is sent to another process, within this turn, and read nowhere: bytes may be lent to it. */
export function markLeaving(parcel: Parcel): void {
  bufferOf(parcel).isLeaving = true
}

/**
 * As `writeByteArray`, of the last value of a parcel. If that is leaving, and it is worth it, the bytes stay where they are until it is sent.
 * Nothing may be written behind them.
 */
export function lendByteArray(parcel: Parcel, bytes: Uint8Array): void {
  const buffer = bufferOf(parcel)
  if (!buffer.isLeaving || bytes.length < LENT_BYTES || bytes.length % 4 !== 0) {
    parcel.writeByteArray(bytes)
    return
  }
  buffer.writeInt32(bytes.length)
  buffer.lent = bytes
}

/**
 * A parcel with a received request, at position 0. Errors about its contents have no stack trace. It takes over the
 * descriptors of `objects`, which must be sorted by offset and checked: aligned, not overlapping, and inside the data.
 * @param source opens a received binder when it is read, and gives the others back when the parcel is recycled; the
 *   caller must recycle it
 */
export function parcelFromWire(
  data: ReceivedData,
  objects: ParcelObject[],
  source: BinderSource | null = null,
): Parcel {
  const parcel = Parcel.obtain()
  const buffer = bufferOf(parcel)
  buffer.replace(data, objects, source)
  buffer.markRequest()
  return parcel
}

/**
 * Fills a parcel that its owner has waiting, as {@link parcelFromWire}; what it held before is dropped, descriptors closed.
 * Its owner may forget it.
 * @throws ERR_CLOSED when it was recycled meanwhile; then the descriptors of `objects` are closed and the binders given back
 */
export function replaceContents(
  parcel: Parcel,
  data: ReceivedData,
  objects: ParcelObject[],
  source: BinderSource | null = null,
): void {
  try {
    const buffer = waitingBufferOf(parcel)
    buffer.replace(data, objects, source)
    if (objects.length > 0) buffer.objects.guard()
  } catch (error) {
    dropObjects(objects, source)
    throw error
  }
}

export { beginWait, endWait, waitingBufferOf } from './parcel-values.ts'
