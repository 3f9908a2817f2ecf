/**
 * The two kinds of strings: an int length, the characters, a zero, padding (docs/protocol.md, section 4). String16
 * counts UTF-16 units and keeps any string unchanged; String8 counts bytes of UTF-8, where half a surrogate pair, and
 * bytes that are no UTF-8, become U+FFFD. Null is the length -1.
 */
import { Buffer } from 'node:buffer'
import { putInt32 } from '../util/words.ts'
import type { ParcelBuffer } from './parcel-buffer.ts'

/** Up to here units are quicker written and looked at here than by Node's native code. */
const SHORT_UNITS = 32
/** The last short strings that were read, by their hash: names and keys come again and again. */
const KEPT = 64
const kept: string[] = []

export function writeString16(buffer: ParcelBuffer, value: string | null): void {
  if (value === null) {
    buffer.writeInt32(-1)
    return
  }
  const { length } = value
  const start = buffer.claim(4 + length * 2 + 2)
  const { bytes } = buffer
  const end = start + 4 + length * 2
  putInt32(bytes, start, length)
  if (length > SHORT_UNITS) bytes.write(value, start + 4, 'utf16le')
  else for (let i = 0; i < length; i++) putUnit(bytes, start + 4 + i * 2, value.charCodeAt(i))
  putUnit(bytes, end, 0)
}

/** @returns null also for a string whose terminating zero is not where its length says. */
export function readString16(buffer: ParcelBuffer): string | null {
  const length = buffer.readLength(2)
  if (length < 0) return null
  const at = buffer.take(length * 2 + 2)
  const end = at + length * 2
  if (at < 0 || getUnit(buffer.bytes, end) !== 0) return null
  return length > SHORT_UNITS ? buffer.bytes.toString('utf16le', at, end) : shortString(buffer.bytes, at, length)
}

function shortString(bytes: Buffer, at: number, length: number): string {
  let hash = length
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + getUnit(bytes, at + i * 2)) | 0
  const place = hash & (KEPT - 1)
  const known = kept[place]
  if (known?.length === length && isAt(bytes, at, known)) return known
  const text = bytes.toString('utf16le', at, at + length * 2)
  kept[place] = text
  return text
}

function isAt(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (getUnit(bytes, at + i * 2) !== text.charCodeAt(i)) return false
  return true
}

function getUnit(bytes: Buffer, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
}

function putUnit(bytes: Buffer, at: number, unit: number): void {
  bytes[at] = unit & 0xff
  bytes[at + 1] = unit >>> 8
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
