/** Checks of arguments, which every public function makes first. The error has the argument's name, the rule and the value. */
import { InvalidArgTypeError, NullPointerError, OutOfRangeError } from './errors.ts'
import { isSignal, isUint8Array } from './realm.ts'

/** The largest length, size or offset of a region: Android's are Java ints. */
export const INT_MAX = 0x7fffffff
export const INT_MIN = -INT_MAX - 1
/** The highest uid or gid; the one above means nobody in system calls: (uid_t) -1. */
export const MAX_UID = 0xfffffffe

/**
 * An integer within [min, max]; wrong type ERR_INVALID_ARG_TYPE, everything else ERR_OUT_OF_RANGE, or the error that
 * the caller names (InvalidArgValueError where Android says IllegalArgument).
 */
export function checkInteger(
  name: string,
  value: unknown,
  min: number,
  max: number,
  Failure: new (message: string) => Error = OutOfRangeError,
): asserts value is number {
  checkNumber(name, value)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Failure(`${name} must be an integer from ${min} to ${max}, got ${show(value)}`)
  }
}

/** Java's int: from -2^31 to 2^31 - 1. */
export function checkInt32(name: string, value: unknown): asserts value is number {
  checkInteger(name, value, INT_MIN, INT_MAX)
}

/** That `count` elements from `offset` on lie within `length`; ERR_OUT_OF_RANGE. `name` is the offset's. */
export function checkRange(name: string, offset: number, count: number, length: number): void {
  // Most are right, and are asked millions of times a second: the words for the others come below.
  if (Number.isInteger(offset) && Number.isInteger(count) && offset >= 0 && count >= 0 && count <= length - offset)
    return
  checkInteger(name, offset, 0, length)
  checkInteger('count', count, 0, length - offset)
}

/** Any number, NaN and the infinities too: what a float or double takes. */
export function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw new InvalidArgTypeError(`${name} must be a number, got ${show(value)}`)
}

/** A bigint of 64 bits, signed; wrong type ERR_INVALID_ARG_TYPE, too large ERR_OUT_OF_RANGE. */
export function checkLong(name: string, value: unknown): asserts value is bigint {
  if (typeof value !== 'bigint') throw new InvalidArgTypeError(`${name} must be a bigint, got ${show(value)}`)
  if (BigInt.asIntN(64, value) !== value) throw new OutOfRangeError(`${name} must fit in 64 bits, got ${show(value)}`)
}

/** A string; null is ERR_NULL_POINTER. */
export function checkString(name: string, value: unknown): asserts value is string {
  checkNotNull(name, value)
  if (typeof value !== 'string') throw new InvalidArgTypeError(`${name} must be a string, got ${show(value)}`)
}

/** Bytes that live in this process: a Uint8Array or Buffer, not over a SharedArrayBuffer of unknown writers. */
export function checkBytes(name: string, value: unknown): asserts value is Uint8Array {
  checkNotNull(name, value)
  if (!isUint8Array(value)) throw new InvalidArgTypeError(`${name} must be a Uint8Array, got ${show(value)}`)
}

export function checkBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new InvalidArgTypeError(`${name} must be a boolean, got ${show(value)}`)
}

/** An object of any class, an options object say; null is ERR_NULL_POINTER. */
export function checkObject(name: string, value: unknown): asserts value is object {
  checkNotNull(name, value)
  if (typeof value !== 'object') throw new InvalidArgTypeError(`${name} must be an object, got ${show(value)}`)
}

/**
 * An object of options: a plain one. A wrong object, for example a signal instead of `{ signal }`, would have no
 * options, and would silently do nothing.
 */
export function checkOptions(name: string, value: unknown): asserts value is object {
  checkNotNull(name, value)
  if (typeof value === 'object' && isPlain(value)) return
  throw new InvalidArgTypeError(`${name} must be an object with options, as { signal }, got ${show(value)}`)
}

/** Of any realm. It may be a proxy that throws. */
function isPlain(value: unknown): boolean {
  try {
    return Object.getPrototypeOf(value) === null || (value as object).constructor.name === 'Object'
  } catch {
    return false
  }
}

/** A function; null is ERR_NULL_POINTER. */
export function checkFunction(name: string, value: unknown): void {
  checkNotNull(name, value)
  if (typeof value !== 'function') throw new InvalidArgTypeError(`${name} must be a function, got ${show(value)}`)
}

/** What ends a wait: an AbortSignal, or nothing. */
export function checkSignal(value: unknown): asserts value is AbortSignal | undefined {
  if (value === undefined || isSignal(value)) return
  throw new InvalidArgTypeError(`signal must be an AbortSignal, got ${show(value)}`)
}

export function checkNotNull(name: string, value: unknown): void {
  if (value === null || value === undefined) throw new NullPointerError(`${name} must not be null`)
}

/** A short picture of any value for an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return `an object of class ${className(value)}`
  return Object.is(value, -0) ? '-0' : String(value)
}

/** An object may answer what it likes, or throw. */
function className(value: object): string {
  try {
    const name: unknown = value.constructor?.name
    return typeof name === 'string' ? name : 'unknown'
  } catch {
    return 'unknown'
  }
}
