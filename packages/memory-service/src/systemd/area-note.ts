/** Who pays for a key and when it ends, as bytes: f64 milliseconds since 1970 (0: never), f64 uid (-1: nobody). Little-endian. */
import type { KeyNote } from '@memsvc/shared/internal'

const NOTE_BYTES = 16

export function encodeNote({ endsAt, payer }: KeyNote): Buffer {
  const bytes = Buffer.allocUnsafe(NOTE_BYTES)
  bytes.writeDoubleLE(endsAt ?? 0, 0)
  bytes.writeDoubleLE(payer ?? -1, 8)
  return bytes
}

/** Null: it is none. */
export function decodeNote(bytes: Uint8Array): KeyNote | null {
  if (bytes.length !== NOTE_BYTES) return null
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const [endsAt, payer] = [view.readDoubleLE(0), view.readDoubleLE(8)]
  return { endsAt: endsAt === 0 ? null : endsAt, payer: payer < 0 ? null : payer }
}
