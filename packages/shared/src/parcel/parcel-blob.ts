/**
 * Blobs: bytes that leave the parcel when they are many. An int length (-1 for null), an int tag, then the bytes
 * themselves, or the descriptor of a region with them (writeBlob in libbinder/Parcel.cpp).
 */
import { Buffer } from 'node:buffer'
import { dup, fstat, Mapping, mmap, type OwnedFd } from 'memfd-native'
import { dataRegion } from '../os/data-region.ts'
import { checkMappable, lookAtRegion } from '../os/region.ts'
import { closing } from '../util/closing.ts'
import { BadParcelError, errorCode, NotARegionError, UnsafeRegionError } from '../util/errors.ts'
import { readObject, writeObject } from './object-bytes.ts'
import { descriptorOf } from './object-table.ts'
import type { ParcelBuffer } from './parcel-buffer.ts'

const MAX_INLINE_BYTES = 16 * 1024 // BLOB_INPLACE_LIMIT in libbinder/Parcel.cpp
const INLINE = 0
const IMMUTABLE_REGION = 1
const MUTABLE_REGION = 2 // never written here; read all the same
const BLOCK_BYTES = 512 // the unit of st_blocks, inode(7)

export function writeBlob(buffer: ParcelBuffer, bytes: Uint8Array | null, alwaysInline: boolean): void {
  if (bytes === null) {
    buffer.writeInt32(-1)
    return
  }
  if (alwaysInline || bytes.length <= MAX_INLINE_BYTES) {
    buffer.writeInt32(bytes.length)
    buffer.writeInt32(INLINE)
    buffer.writeBytes(bytes)
    return
  }
  closing(dataRegion(bytes, 'Parcel Blob'), (region) => {
    buffer.writeInt32(bytes.length)
    buffer.writeInt32(IMMUTABLE_REGION)
    writeObject(buffer, { kind: 'fd', fd: dup(region) })
  })
}

export function readBlob(buffer: ParcelBuffer): Buffer | null {
  const length = buffer.readLength(0)
  if (length < 0) return null
  const tag = buffer.readInt32()
  if (tag === INLINE) return readInline(buffer, length)
  if (tag !== IMMUTABLE_REGION && tag !== MUTABLE_REGION)
    throw buffer.complaint(BadParcelError, `a blob of an unknown kind, ${tag}`)
  const object = readObject(buffer)
  if (object?.kind !== 'fd') throw buffer.complaint(BadParcelError, 'a blob without its descriptor')
  if (length === 0) throw buffer.complaint(BadParcelError, 'a blob of no bytes with a descriptor')
  return readRegion(descriptorOf(object), length)
}

function readInline(buffer: ParcelBuffer, length: number): Buffer | null {
  if (length > buffer.available)
    throw buffer.complaint(BadParcelError, `a blob of ${length} bytes where ${buffer.available} are left`)
  return buffer.readBytes(length)
}

function readRegion(region: OwnedFd, length: number): Buffer {
  const look = lookAtRegion(region)
  if (look.size < 0) throw new NotARegionError('the descriptor of the blob is not a region')
  checkMappable(look, length)
  // Pages that do not exist have cost the sender nothing; reading them would cost the receiver as many.
  if (fstat(region).blocks * BLOCK_BYTES < length) throw new UnsafeRegionError('the region of the blob has holes')
  const bytes = Buffer.allocUnsafe(length)
  closing(mapped(region, length), (mapping) => mapping.read(0, bytes, 0, length))
  return bytes
}

/** @throws ERR_NOT_A_REGION the sender's descriptor is one for writing only; errors of mmap(2) */
function mapped(region: OwnedFd, length: number): Mapping {
  try {
    return Mapping.map(region, length, mmap.PROT_READ, mmap.MAP_SHARED)
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error
    throw new NotARegionError('the descriptor of the blob is not for reading')
  }
}
