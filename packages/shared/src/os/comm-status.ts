/**
 * What one end of a reliable descriptor tells the other when it goes, and its bytes in the status channel: a 32-bit
 * big-endian code, then text in UTF-8. One packet, at most 1,024 bytes.
 */
import { Buffer } from 'node:buffer'
import { DetachedError, RemoteError } from '../util/errors.ts'

/** Codes of ParcelFileDescriptor.Status. DEAD and SILENCE are never sent: they say that nothing was. */
export const STATUS = { DEAD: -2, SILENCE: -1, OK: 0, ERROR: 1, DETACHED: 2, LEAKED: 3 } as const

export interface Status {
  /** One of {@link STATUS}, or whatever number the peer sent. */
  readonly code: number
  /** The text of an ERROR. */
  readonly message: string
}

export const MAX_STATUS_BYTES = 1024
const CODE_BYTES = 4

/** The packet for a status. A longer text is cut, between characters. */
export function encodeStatus({ code, message }: Status): Buffer {
  const packet = Buffer.alloc(MAX_STATUS_BYTES)
  packet.writeInt32BE(code)
  return packet.subarray(0, CODE_BYTES + packet.write(message, CODE_BYTES))
}

/** The status in a received packet. One too short to hold a code is end-of-file, or no speaker of this protocol: DEAD. */
export function decodeStatus(packet: Buffer): Status {
  if (packet.length < CODE_BYTES) return { code: STATUS.DEAD, message: '' }
  return { code: packet.readInt32BE(), message: packet.toString('utf8', CODE_BYTES) }
}

/** The error of a status: ERR_DETACHED, or ERR_REMOTE_ERROR with Android's texts. null for OK. */
export function statusError({ code, message }: Status): Error | null {
  switch (code) {
    case STATUS.OK:
      return null
    case STATUS.DEAD:
      return new RemoteError('Remote side is dead')
    case STATUS.ERROR:
      return new RemoteError(`Remote error: ${message}`)
    case STATUS.DETACHED:
      return new DetachedError('Remote side is detached')
    case STATUS.LEAKED:
      return new RemoteError('Remote side was leaked')
    default:
      return new RemoteError(`Unknown status: ${code}`)
  }
}
