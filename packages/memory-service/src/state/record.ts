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

/** What a record says. */
export type DecodedRecord = Omit<StoredRecord, 'key'> & KeyNote

/**
 * @param record the record is its first `length` bytes; the result is a view of them
 * @returns null if these are not bytes that memsvc wrote
 */
export function decodeRecord(record: Buffer, length: number): DecodedRecord | null {
  if (length < HEADER_BYTES || record[0] !== LAYOUT) return null
  if (record.readUInt32LE(CRC_AT) !== crc32(part(record, CHECKED_FROM, length))) return null
  const [endsAt, payer] = [record.readDoubleLE(16), record.readDoubleLE(24)]
  return {
    type: record[1] as number,
    version: versionIn(record, length),
    bytes: part(record, HEADER_BYTES, length),
    endsAt: endsAt === 0 ? null : endsAt,
    payer: payer < 0 ? null : payer,
  }
}

/** Unchecked; 0n: it is none. */
export function versionIn(record: Buffer, length: number): bigint {
  return length < HEADER_BYTES ? 0n : record.readBigInt64LE(8)
}

/** No Buffer: to make one takes twice as long, and there are two for each record of a start. */
function part({ buffer, byteOffset }: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, end - start)
}
