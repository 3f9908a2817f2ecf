/**
 * The two kinds of strings: an int length, the characters, a zero, padding (docs/protocol.md, section 4). String16
 * counts UTF-16 units and keeps any string unchanged; String8 counts bytes of UTF-8, where half a surrogate pair, and
 * bytes that are no UTF-8, become U+FFFD. Null is the length -1.
 */
import { Buffer } from 'node:buffer'
import type { ParcelBuffer } from './parcel-buffer.ts'

export function writeString16(buffer: ParcelBuffer, value: string | null): void {
  if (value === null) {
    buffer.writeInt32(-1)
    return
  }
  const end = 4 + value.length * 2
  const at = buffer.claim(end + 2)
  buffer.bytes.writeInt32LE(value.length, at)
  buffer.bytes.write(value, at + 4, 'utf16le')
  buffer.bytes.writeUInt16LE(0, at + end)
}

/** @returns null also for a string whose terminating zero is not where its length says. */
export function readString16(buffer: ParcelBuffer): string | null {
  const length = buffer.readLength(2)
  if (length < 0) return null
  const at = buffer.take(length * 2 + 2)
  const end = at + length * 2
  return at < 0 || buffer.bytes.readUInt16LE(end) !== 0 ? null : buffer.bytes.toString('utf16le', at, end)
}

export function writeString8(buffer: ParcelBuffer, value: string | null): void {
  if (value === null) {
    buffer.writeInt32(-1)
    return
  }
  const length = Buffer.byteLength(value)
  const at = buffer.claim(4 + length + 1)
  buffer.bytes.writeInt32LE(length, at)
  buffer.bytes.write(value, at + 4)
  buffer.bytes[at + 4 + length] = 0
}

/** @returns null also for a string whose terminating zero is not where its length says. */
export function readString8(buffer: ParcelBuffer): string | null {
  const length = buffer.readLength(1)
  if (length < 0) return null
  const at = buffer.take(length + 1)
  const end = at + length
  return at < 0 || buffer.bytes[end] !== 0 ? null : buffer.bytes.toString('utf8', at, end)
}
