/**
 * A value as it lies on disk: 32 bytes of header, then the value. Little-endian.
 *
 * u8 layout 1, u8 type, u16 0, u32 CRC-32 of all that follows, i64 version, f64 end in milliseconds since 1970 (0: none), f64 uid of who
 * pays (-1: nobody)
 */
import { crc32 } from 'node:zlib'
import type { KeyNote, StoredRecord } from '@memsvc/shared/internal'

const LAYOUT = 1
const HEADER_BYTES = 32
const CRC_AT = 4
const CHECKED_FROM = 8

export function encodeRecord({ type, version, bytes, payer, endsAt }: StoredRecord & KeyNote): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + bytes.length)
  record.writeUInt32LE(LAYOUT + (type << 8), 0)
  record.writeBigInt64LE(version, 8)
  record.writeDoubleLE(endsAt ?? 0, 16)
  record.writeDoubleLE(payer ?? -1, 24)
  record.set(bytes, HEADER_BYTES)
  record.writeUInt32LE(crc32(record.subarray(CHECKED_FROM)), CRC_AT)
  return record
}

/** The bytes are a view of `record`. Null: it is not what was written. */
export function decodeRecord(key: string, record: Buffer): (StoredRecord & KeyNote) | null {
  if (record.length < HEADER_BYTES || record[0] !== LAYOUT) return null
  if (record.readUInt32LE(CRC_AT) !== crc32(from(record, CHECKED_FROM))) return null
  const [endsAt, payer] = [record.readDoubleLE(16), record.readDoubleLE(24)]
  return {
    key,
    type: record[1] as number,
    version: versionIn(record),
    bytes: from(record, HEADER_BYTES),
    endsAt: endsAt === 0 ? null : endsAt,
    payer: payer < 0 ? null : payer,
  }
}

/** Of a record of at least 16 bytes; unchecked. */
export function versionIn(record: Buffer): bigint {
  return record.length < HEADER_BYTES ? 0n : record.readBigInt64LE(8)
}

/** No Buffer: to make one takes twice as long, and there are two for each record of a start. */
function from({ buffer, byteOffset, length }: Buffer, start: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, length - start)
}
