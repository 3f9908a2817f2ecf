/**
 * The user who is charged for a key, and its expiry time, as bytes. A note is written before the value, so it has two
 * parts: one that applies while the key still has its old version, and one that applies when it has another version.
 * Little-endian: i64 the version (0: there was no value); then twice, of before and of after: f64 milliseconds since
 * 1970 (0: never), f64 uid (-1: nobody).
 */
import type { KeyNote } from '@memsvc/shared/internal'

/** One for each version. */
export interface VersionedNote {
  /** 0n: there was no value. */
  readonly version: bigint
  readonly before: KeyNote
  readonly after: KeyNote
}

const NOTE_BYTES = 16
const BYTES = 8 + 2 * NOTE_BYTES

export function encodeNote({ version, before, after }: VersionedNote): Buffer {
  const bytes = Buffer.allocUnsafe(BYTES)
  bytes.writeBigInt64LE(version, 0)
  for (const [i, { endsAt, payer }] of [before, after].entries()) {
    bytes.writeDoubleLE(endsAt ?? 0, 8 + i * NOTE_BYTES)
    bytes.writeDoubleLE(payer ?? -1, 16 + i * NOTE_BYTES)
  }
  return bytes
}

/** What applies to the key with this version; null if these bytes are not a note. */
export function decodeNote(bytes: Uint8Array, version: bigint): KeyNote | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length === NOTE_BYTES) return noteAt(view, 0) // of memsvc before 0.3
  if (bytes.length !== BYTES) return null
  return noteAt(view, view.readBigInt64LE(0) === version ? 8 : 8 + NOTE_BYTES)
}

function noteAt(view: Buffer, at: number): KeyNote {
  const [endsAt, payer] = [view.readDoubleLE(at), view.readDoubleLE(at + 8)]
  return { endsAt: endsAt === 0 ? null : endsAt, payer: payer < 0 ? null : payer }
}
