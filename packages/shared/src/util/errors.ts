/**
 * Every error this package makes, one class per condition. Callers test `error.code`, which is stable;
 * the message is for people. `docs/errors.md` lists each code with cause and remedy.
 */

import { inMethod } from './calling-method.ts'

function named(prototype: object, name: string): void {
  Object.defineProperty(prototype, 'name', { value: name, configurable: true, writable: true })
}

/** A number outside its range: offsets, counts, indexes (Android's IndexOutOfBoundsException). */
export class OutOfRangeError extends RangeError {
  readonly code = 'ERR_OUT_OF_RANGE'
  static {
    named(this.prototype, 'OutOfRangeError')
  }

  /** @param message the error begins with the method of this package that was called, if there is one */
  constructor(message?: string, options?: ErrorOptions) {
    super(inMethod(message, new.target), options)
  }
}

/** A value of the right type that is not allowed (IllegalArgumentException). */
export class InvalidArgValueError extends TypeError {
  readonly code = 'ERR_INVALID_ARG_VALUE'
  static {
    named(this.prototype, 'InvalidArgValueError')
  }

  /** @param message the error begins with the method of this package that was called, if there is one */
  constructor(message?: string, options?: ErrorOptions) {
    super(inMethod(message, new.target), options)
  }
}

/** A value of the wrong JavaScript type. */
export class InvalidArgTypeError extends TypeError {
  readonly code = 'ERR_INVALID_ARG_TYPE'
  static {
    named(this.prototype, 'InvalidArgTypeError')
  }

  /** @param message the error begins with the method of this package that was called, if there is one */
  constructor(message?: string, options?: ErrorOptions) {
    super(inMethod(message, new.target), options)
  }
}

/** null where an object is needed (NullPointerException). */
export class NullPointerError extends TypeError {
  readonly code = 'ERR_NULL_POINTER'
  static {
    named(this.prototype, 'NullPointerError')
  }

  /** @param message the error begins with the method of this package that was called, if there is one */
  constructor(message?: string, options?: ErrorOptions) {
    super(inMethod(message, new.target), options)
  }
}

/** A MemoryFile was used after deactivate() or close() (IOException "deactivated"). */
export class DeactivatedError extends Error {
  readonly code = 'ERR_DEACTIVATED'
  static {
    named(this.prototype, 'DeactivatedError')
  }
}

/** Another object was used after close() (IllegalStateException "closed"). */
export class ClosedError extends Error {
  readonly code = 'ERR_CLOSED'
  static {
    named(this.prototype, 'ClosedError')
  }
}

/** The memory was purged while it was unpinned: it reads as zeros from now on. Reported once. */
export class PurgedError extends Error {
  readonly code = 'ERR_PURGED'
  static {
    named(this.prototype, 'PurgedError')
  }
}

/** The descriptor is valid, but not of a shared memory region ("Not a memory file"). */
export class NotARegionError extends Error {
  readonly code = 'ERR_NOT_A_REGION'
  static {
    named(this.prototype, 'NotARegionError')
  }
}

/** A region that must not be mapped: it can shrink under its reader, or is shorter than claimed. */
export class UnsafeRegionError extends Error {
  readonly code = 'ERR_UNSAFE_REGION'
  static {
    named(this.prototype, 'UnsafeRegionError')
  }
}

/** A write through something that was opened or mapped for reading (ReadOnlyBufferException). */
export class ReadOnlyError extends Error {
  readonly code = 'ERR_READ_ONLY'
  static {
    named(this.prototype, 'ReadOnlyError')
  }
}

/** The caller is not allowed to do this (SecurityException). */
export class SecurityError extends Error {
  readonly code = 'ERR_SECURITY'
  static {
    named(this.prototype, 'SecurityError')
  }
}

/** The process that serves the object is gone, or closed the channel (DeadObjectException). */
export class DeadObjectError extends Error {
  readonly code = 'ERR_DEAD_OBJECT'
  static {
    named(this.prototype, 'DeadObjectError')
  }
}

/** A request or a reply is too large; the channel stays open (TransactionTooLargeException). */
export class TransactionTooLargeError extends Error {
  readonly code = 'ERR_TRANSACTION_TOO_LARGE'
  static {
    named(this.prototype, 'TransactionTooLargeError')
  }
}

/** A proxy called a method that the other side does not know. */
export class UnknownTransactionError extends Error {
  readonly code = 'ERR_UNKNOWN_TRANSACTION'
  static {
    named(this.prototype, 'UnknownTransactionError')
  }
}

/**
 * The service failed because of a bug: it threw an error that cannot be sent to a caller, or returned a value of the
 * wrong type. The message ends with the service's own message.
 */
export class ServiceFailureError extends Error {
  readonly code = 'ERR_SERVICE_FAILURE'
  static {
    named(this.prototype, 'ServiceFailureError')
  }
}

/** The bytes of a parcel are not what the read expects (BadParcelableException, ParcelFormatException). */
export class BadParcelError extends Error {
  readonly code = 'ERR_BAD_PARCEL'
  static {
    named(this.prototype, 'BadParcelError')
  }
}

/** An error that the service defines, with its number (ServiceSpecificException). */
export class ServiceSpecificError extends Error {
  readonly code = 'ERR_SERVICE_SPECIFIC'
  /** The service's own number, an int32. */
  readonly errorCode: number
  static {
    named(this.prototype, 'ServiceSpecificError')
  }

  /** @param errorCode an int32, which travels with the message. */
  constructor(errorCode: number, message?: string, options?: ErrorOptions) {
    super(message, options)
    this.errorCode = errorCode
  }
}

/** The call is not possible in the current state (IllegalStateException). */
export class IllegalStateError extends Error {
  readonly code = 'ERR_ILLEGAL_STATE'
  static {
    named(this.prototype, 'IllegalStateError')
  }
}

/** This object never supports the call (UnsupportedOperationException). */
export class UnsupportedOperationError extends Error {
  readonly code = 'ERR_UNSUPPORTED_OPERATION'
  static {
    named(this.prototype, 'UnsupportedOperationError')
  }
}

/** No service of that name (ServiceNotFoundException). */
export class ServiceNotFoundError extends Error {
  readonly code = 'ERR_SERVICE_NOT_FOUND'
  static {
    named(this.prototype, 'ServiceNotFoundError')
  }
}

/** Nobody listens at the registry's path. */
export class RegistryUnavailableError extends Error {
  readonly code = 'ERR_REGISTRY_UNAVAILABLE'
  static {
    named(this.prototype, 'RegistryUnavailableError')
  }
}

/**
 * The other end of a reliable pipe reported an error, died, or was leaked; or a service sent an exception that has no
 * code here.
 */
export class RemoteError extends Error {
  readonly code = 'ERR_REMOTE_ERROR'
  static {
    named(this.prototype, 'RemoteError')
  }
}

/** The other end of a reliable pipe gave its descriptor away (FileDescriptorDetachedException). */
export class DetachedError extends Error {
  readonly code = 'ERR_DETACHED'
  static {
    named(this.prototype, 'DetachedError')
  }
}

/** The element to remove does not exist (NoSuchElementException). */
export class NoSuchElementError extends Error {
  readonly code = 'ERR_NO_SUCH_ELEMENT'
  static {
    named(this.prototype, 'NoSuchElementError')
  }
}

/** A limit of memsvc was reached. The call had no effect; you can try again later. */
export class LimitError extends Error {
  readonly code = 'ERR_LIMIT'
  /** The name of the limit, as in the table of limits. */
  readonly resource: string
  /** The most that is allowed. */
  readonly limit: number
  /** What was in use, or requested, when the limit was reached. */
  readonly used: number
  static {
    named(this.prototype, 'LimitError')
  }

  /** The fields are the message: see each. Both numbers 0: they are another's, and not known here. */
  constructor(resource: string, limit: number, used: number, options?: ErrorOptions) {
    const [most, now] = limit === 0 && used === 0 ? ['', ''] : [` of ${limit}`, ` (${used})`]
    super(`the limit${most} for ${spelledOut(resource)} is reached${now}`, options)
    this.resource = resource
    this.limit = limit
    this.used = used
  }
}

/** As people write it: `unreadDescriptors of one peer` are unread descriptors of one peer. */
function spelledOut(resource: string): string {
  return resource.replace(/(?<=[a-z])[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`)
}

/** The value does not have the version that you expected. The call had no effect. */
export class ConflictError extends Error {
  readonly code = 'ERR_CONFLICT'
  /** The key of the value. */
  readonly key: string
  /** Its current version; 0n if the key has no value. */
  readonly version: bigint
  /**
   * Its current value: JSON is frozen, bytes are a copy; undefined if there is none, or if it changed again before it
   * could be read.
   */
  readonly value: unknown
  /**
   * If the store is a copy of a cluster: the revision that wrote the value; null if the store is not a copy, or the key
   * has no value.
   */
  readonly revision: bigint | null
  static {
    named(this.prototype, 'ConflictError')
  }

  /** The fields are the message: see each. */
  constructor(
    key: string,
    version: bigint,
    options: ErrorOptions & { value?: unknown; revision?: bigint | null } = {},
  ) {
    const { value, revision = null, ...rest } = options
    const origin = revision === null ? '' : `, of revision ${revision}`
    super(version === 0n ? `${key} has no value` : `${key} has the version ${version}${origin}`, rest)
    this.key = key
    this.version = version
    this.value = value
    this.revision = revision
  }
}

/** There was no answer in time. If the call was sent, its outcome is unknown. */
export class TimeoutError extends Error {
  readonly code = 'ERR_TIMEOUT'
  static {
    named(this.prototype, 'TimeoutError')
  }
}

/** The `code` of an error, be it memsvc's, Node's or a system call's; undefined if it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** An AbortSignal ended the wait. It looks like Node's own AbortError; the signal's reason is its `cause`. */
export class AbortError extends Error {
  readonly code = 'ABORT_ERR'
  static {
    named(this.prototype, 'AbortError')
  }
}
