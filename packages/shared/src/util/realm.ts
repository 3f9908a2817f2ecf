/**
 * What a value is, whichever constructor made it. Bytes, signals and errors can come from other realms (node:vm, test
 * runners, jsdom) or polyfills (a Buffer of a bundler). `instanceof` knows only one realm, and a proxy can deceive it.
 */
import { types } from 'node:util'

/** Looked up once, because it is checked at each access. */
export const { isAnyArrayBuffer, isTypedArray, isUint8Array } = types

/** An AbortSignal of anybody's: it says whether it has fired, and tells listeners when it does. */
export function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  )
}

/** Whether a value is an error: an Error of any realm, a DOMException, or an object like one. */
export function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true
  if (typeof value !== 'object' || value === null) return false
  const { name, message } = value as Partial<Error>
  return typeof name === 'string' && typeof message === 'string'
}
