/**
 * What a value is, whoever's constructor made it: bytes, signals and errors come from other realms too (node:vm, the test runners that
 * use it, jsdom) and from stand-ins (a Buffer that a bundler brought along). `instanceof` knows one realm only, and believes a proxy.
 */
import { types } from 'node:util'

/** Looked up once: for what is checked at each access. */
export const { isAnyArrayBuffer, isTypedArray, isUint8Array } = types

/** An AbortSignal of anybody's: it says whether it has fired, and tells listeners when it does. */
export function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  )
}

/** What is thrown as an error: an Error of any realm, a DOMException, or what looks like one. */
export function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true
  if (typeof value !== 'object' || value === null) return false
  const { name, message } = value as Partial<Error>
  return typeof name === 'string' && typeof message === 'string'
}
