/**
 * Exceptions in replies: an int code, 0 when all went well; otherwise String16 message, the size of a stack trace (we
 * send none), and for a service's own error its number (android.os.Parcel, writeException).
 */

import { checkInt32, checkNotNull } from '../util/check.ts'
import {
  BadParcelError,
  errorCode,
  IllegalStateError,
  InvalidArgValueError,
  NullPointerError,
  RemoteError,
  SecurityError,
  ServiceSpecificError,
  UnsupportedOperationError,
} from '../util/errors.ts'
import { unnumbered } from '../util/service-errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import type { ParcelValues } from './parcel-values.ts'

const NO_EXCEPTION = 0
const SERVICE_SPECIFIC = -8
const NOTED_APPOPS_HEADER = -127
const STRICT_MODE_HEADER = -128

/** The classes that Android's numbers turn into. */
const CLASSES = new Map<number, new (message?: string) => Error>([
  [-1, SecurityError],
  [-2, BadParcelError],
  [-3, InvalidArgValueError],
  [-4, NullPointerError],
  [-5, IllegalStateError],
  [-7, UnsupportedOperationError],
])

/** Android's number for each code. A subclass has the number of its base class. */
const NUMBERS = new Map([
  ['ERR_SECURITY', -1],
  ['ERR_BAD_PARCEL', -2],
  ['ERR_INVALID_ARG_VALUE', -3],
  ['ERR_INVALID_ARG_TYPE', -3],
  ['ERR_NULL_POINTER', -4],
  ['ERR_ILLEGAL_STATE', -5],
  ['ERR_UNSUPPORTED_OPERATION', -7],
  ['ERR_READ_ONLY', -7],
  ['ERR_SERVICE_SPECIFIC', SERVICE_SPECIFIC],
])

/**
 * Whether an error is an answer of a service to its caller. All other errors are bugs of the service. So are Node's own
 * errors: they have similar codes, but are about arguments that the service passed to Node.
 */
export function isException(error: unknown): boolean {
  const code = errorCode(error) ?? ''
  return NUMBERS.has(code) && !isNodes(error as Error, code)
}

/** Its errors say their code where others say their name only. */
function isNodes(error: Error, code: string): boolean {
  return `${error}`.startsWith(`${error.name} [${code}]`)
}

export function writeNoException(parcel: ParcelValues): void {
  parcel.writeInt(NO_EXCEPTION)
}

/** Writes an error by its code. An error without a number in Android is thrown instead, and nothing is written. */
export function writeException(parcel: ParcelValues, error: unknown): void {
  checkNotNull('error', error)
  const number = NUMBERS.get(errorCode(error) ?? '')
  if (number === undefined) throw error
  const { message, errorCode: ownNumber } = error as { message?: unknown; errorCode?: unknown }
  if (number === SERVICE_SPECIFIC) checkInt32('error.errorCode', ownNumber)
  parcel.writeInt(number)
  parcel.writeString(typeof message === 'string' ? message : null)
  parcel.writeInt(0)
  if (number === SERVICE_SPECIFIC) parcel.writeInt(ownNumber as number)
}

/** Returns if there is no exception, otherwise throws it. */
export function readException(parcel: ParcelValues): void {
  const number = readNumber(parcel)
  if (number === NO_EXCEPTION) return
  const message = parcel.readString()
  skipBlock(parcel)
  if (number === SERVICE_SPECIFIC) throw unnumbered(new ServiceSpecificError(parcel.readInt(), message ?? undefined))
  const ErrorClass = CLASSES.get(number)
  if (ErrorClass === undefined) throw new RemoteError(`Unknown exception code: ${number} msg ${message}`)
  // Without a stack at first, because the error comes from the service, not from this code.
  const error = withoutStack(() => new ErrorClass(message ?? undefined))
  Error.captureStackTrace(error, readException)
  throw error
}

/** Android may write diagnostics before the code, or instead of the code 0. memsvc sends none, and skips them. */
function readNumber(parcel: ParcelValues): number {
  let number = parcel.readInt()
  if (number === NOTED_APPOPS_HEADER) {
    skipBlock(parcel)
    number = parcel.readInt()
  }
  if (number !== STRICT_MODE_HEADER) return number
  skipBlock(parcel)
  return NO_EXCEPTION
}

/** Moves over bytes that begin with their own count, an int that counts itself too; 0 means that nothing follows. */
function skipBlock(parcel: ParcelValues): void {
  const start = parcel.dataPosition()
  const size = parcel.readInt()
  if (size === 0) return
  if (size < 4 || start + size > parcel.dataSize()) throw new BadParcelError(`a header of ${size} bytes does not fit`)
  parcel.setDataPosition(start + size)
}
