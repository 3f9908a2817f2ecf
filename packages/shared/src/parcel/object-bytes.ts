/**
 * Objects among the bytes of a parcel: each is 24 bytes at a multiple of 4, where the buffer's `ObjectTable` has the thing
 * itself (docs/protocol.md, section 4).
 */
import { IllegalStateError } from '../util/errors.ts'
import {
  closeContents,
  copyContents,
  OBJECT_BYTES,
  type ObjectContents,
  type ParcelObject,
  type WrittenObject,
} from './object-table.ts'
import type { ParcelBuffer } from './parcel-buffer.ts'

const TYPE_CODE = { fd: 1, binder: 2 } as const

/**
 * Writes the 24 bytes of an object, which the parcel takes over.
 * @throws as ParcelBuffer.claim, and ERR_ILLEGAL_STATE at a position that is not a multiple of 4; then the object is
 *   closed
 */
export function writeObject(buffer: ParcelBuffer, contents: ObjectContents): void {
  try {
    const offset = claimObject(buffer)
    buffer.bytes.writeUInt32LE(TYPE_CODE[contents.kind], offset)
    buffer.objects.add({ ...contents, offset })
  } catch (error) {
    closeContents(contents)
    throw error
  }
}

/** A binder that is null: no object, only its bytes. @throws as {@link writeObject}. */
export function writeNullObject(buffer: ParcelBuffer): void {
  claimObject(buffer)
}

/** The object at the position, if there is one; moves the position by 24 bytes if there are as many. */
export function readObject(buffer: ParcelBuffer): ParcelObject | undefined {
  const start = buffer.position
  if (start + OBJECT_BYTES > buffer.size) return undefined
  buffer.position = start + OBJECT_BYTES
  return buffer.objects.at(start)
}

/**
 * Copies bytes to the position, to the byte, with the objects among them, of which it takes over nothing.
 * @param objects with offsets in `data`.
 * @throws as {@link writeObject}.
 */
export function appendBytes(buffer: ParcelBuffer, data: Uint8Array, objects: readonly WrittenObject[]): void {
  const start = buffer.position
  for (const { offset } of objects) checkAligned(start + offset)
  const copies: WrittenObject[] = []
  try {
    for (const object of objects) copies.push({ ...copyContents(object), offset: start + object.offset })
    buffer.claimUnpadded(data.length)
  } catch (error) {
    copies.forEach(closeContents)
    throw error
  }
  buffer.bytes.set(data, start)
  for (const copy of copies) buffer.objects.add(copy)
}

/** Zeros. */
function claimObject(buffer: ParcelBuffer): number {
  checkAligned(buffer.position)
  const at = buffer.claim(OBJECT_BYTES)
  buffer.bytes.fill(0, at, at + OBJECT_BYTES)
  return at
}

/** An object that is not aligned could not be sent. */
function checkAligned(offset: number): void {
  if (offset % 4 !== 0) throw new IllegalStateError(`an object must begin at a multiple of 4, not at ${offset}`)
}
