/** The body of a FAILURE and what it means to the caller. docs/protocol.md, section 3. */

import { Buffer } from 'node:buffer'
import { Parcel } from '../parcel/parcel.ts'
import { parcelContents, parcelFromWire } from '../parcel/parcel-objects.ts'
import {
  DeadObjectError,
  LimitError,
  RegistryUnavailableError,
  RemoteError,
  TransactionTooLargeError,
  UnsupportedOperationError,
} from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import type { Outcome } from './channel-handler.ts'
import {
  HEADER_BYTES,
  KIND_FAILURE,
  STATUS_DESCRIPTORS_REFUSED,
  STATUS_LIMIT,
  STATUS_TOO_LARGE,
  STATUS_UNKNOWN_OBJECT,
  STATUS_UNKNOWN_TRANSACTION,
  STATUS_VERSION,
  writeHeader,
} from './message.ts'
import { OutgoingBody } from './outgoing-body.ts'

/** Characters of a message that travel: it may quote what the peer sent. */
const MAX_MESSAGE_LENGTH = 1000

/**
 * The failure of a call because of a bug in the service. A peer that reads only the first message takes the code for
 * unknown.
 */
export function faultBody(fault: string): OutgoingBody {
  const parcel = Parcel.obtain()
  parcel.writeString('the service failed in this call')
  parcel.writeString(fault.slice(0, MAX_MESSAGE_LENGTH))
  return new OutgoingBody(takeBytes(parcel))
}

/**
 * The body: a String16 message, and for a limit its resource, limit and use.
 * @throws RangeError for a limit that is not an integer
 */
export function failureBody(message: string, limit?: LimitError): OutgoingBody {
  return new OutgoingBody(failureBytes(message, limit))
}

/**
 * A complete packet with a FAILURE that belongs to no call, for a socket without a channel.
 * @throws as failureBody
 */
export function farewellPacket(limit: LimitError): Buffer {
  return limitPacket(0, limit)
}

/** The whole packet that answers this call with a limit. @throws as failureBody */
export function limitPacket(id: number, limit: LimitError): Buffer {
  const body = failureBytes(limit.message, limit)
  const packet = Buffer.alloc(HEADER_BYTES + body.length)
  const sizes = { dataSize: body.length, bodyBytesInPacket: body.length, objectCount: 0, descriptorCount: 0 }
  writeHeader(packet, 0, { kind: KIND_FAILURE, oneway: false, id, object: 0, code: STATUS_LIMIT, ...sizes })
  body.copy(packet, HEADER_BYTES)
  return packet
}

function failureBytes(message: string, limit?: LimitError): Buffer {
  const parcel = Parcel.obtain()
  parcel.writeString(message.slice(0, MAX_MESSAGE_LENGTH))
  if (limit !== undefined) {
    parcel.writeString(limit.resource.slice(0, MAX_MESSAGE_LENGTH))
    parcel.writeLong(BigInt(limit.limit))
    parcel.writeLong(BigInt(limit.used))
  }
  return takeBytes(parcel)
}

function takeBytes(parcel: Parcel): Buffer {
  const { bytes, size } = parcelContents(parcel)
  const copy = Buffer.from(bytes.subarray(0, size))
  parcel.recycle()
  return copy
}

/** The error of a failure; null for an unknown transaction, which is an answer and not an error: see `faultOf`. */
export function failureError(outcome: Outcome): Error | null {
  const parcel = parcelFromWire(outcome.body, [])
  try {
    return withoutStack(() => errorOf(outcome.status, parcel))
  } catch (cause) {
    return new DeadObjectError('the call failed, and the other side did not say why', { cause })
  } finally {
    parcel.recycle()
  }
}

/** Of an unknown transaction: what the service says of its fault. Null: it does not know the code, or is older than faults. */
export function faultOf({ body }: Outcome): string | null {
  const parcel = parcelFromWire(body, [])
  try {
    parcel.readString()
    return parcel.dataAvail() > 0 ? parcel.readString() : null
  } finally {
    parcel.recycle()
  }
}

function errorOf(status: number, parcel: Parcel): Error | null {
  const message = parcel.readString() ?? 'no reason given'
  switch (status) {
    case STATUS_UNKNOWN_OBJECT:
      return new DeadObjectError(message)
    case STATUS_DESCRIPTORS_REFUSED:
      return new UnsupportedOperationError(message)
    case STATUS_LIMIT:
      return new LimitError(parcel.readString() ?? message, Number(parcel.readLong()), Number(parcel.readLong()))
    case STATUS_TOO_LARGE:
      return new TransactionTooLargeError(message)
    case STATUS_VERSION:
      return new RegistryUnavailableError(message)
    case STATUS_UNKNOWN_TRANSACTION:
      return null
    default:
      return new RemoteError(`Unknown status: ${status} msg ${message}`)
  }
}
