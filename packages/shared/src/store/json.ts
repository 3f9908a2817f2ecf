/** Values as they are stored: JSON as its text in UTF-8, or bytes as they are. */
import { Buffer } from 'node:buffer'
import { areaTypes } from 'memfd-native'
import { show } from '../util/check.ts'
import { BadParcelError, InvalidArgValueError } from '../util/errors.ts'
import { jsonText } from '../util/json-text.ts'
import { isAnyArrayBuffer, isError, isUint8Array } from '../util/realm.ts'

/** A value that JSON can represent. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The type T with all members read-only, at every depth. */
export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** A value on its way into a store. */
export interface Encoded {
  /** `areaTypes`: BYTES or JSON */
  readonly type: number
  /** Of bytes the caller's own. */
  readonly bytes: Uint8Array
}

/**
 * @throws ERR_INVALID_ARG_VALUE for a value that would not come back unchanged: one that JSON cannot represent
 *   (undefined, a function, a symbol, a cycle, a bigint), or that JSON would silently change: see `checkKept`
 */
export function encode(value: unknown): Encoded {
  if (isUint8Array(value)) return { type: areaTypes.BYTES, bytes: value }
  return { type: areaTypes.JSON, bytes: Buffer.from(textOf(value)) }
}

/** As encode, of what `JSON.parse` has made, however deep it is. */
export function encodeParsed(value: Json | Uint8Array): Encoded {
  if (isUint8Array(value)) return { type: areaTypes.BYTES, bytes: value }
  return { type: areaTypes.JSON, bytes: Buffer.from(jsonText(value)) }
}

/**
 * The frozen value of the JSON text in `bytes`, which nobody else changes.
 * @throws ERR_BAD_PARCEL if it is not JSON
 */
export function decode(bytes: Buffer, length: number): Json {
  try {
    return frozen(JSON.parse(bytes.toString('utf8', 0, length)) as Json)
  } catch (error) {
    throw new BadParcelError('a value of the store is marked as JSON, but is not JSON', { cause: error })
  }
}

function textOf(value: unknown): string {
  const text = tryStringify(value)
  if (typeof text !== 'string') {
    throw new InvalidArgValueError(`value must be a Uint8Array or a JSON value, got ${show(value)}`)
  }
  checkKept(value) // after it has become a text: there is no cycle in it
  return text
}

function tryStringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    const said = isError(error) ? error.message : show(error) // a toJSON may throw anything
    const why =
      error instanceof RangeError ? `JSON.stringify cannot write it, it may have too many levels (${said})` : said
    throw new InvalidArgValueError(`value must be a JSON value: ${why}`, { cause: error })
  }
}

/** @throws ERR_INVALID_ARG_VALUE which part of it JSON would lose, or change, without a word */
function checkKept(value: unknown): void {
  if (isKeptAlone(value)) return
  const rest: unknown[] = [value]
  while (rest.length > 0) {
    const part = rest.pop()
    if (isKeptAlone(part)) continue
    if (!isContainer(part)) throw lostAt(value)
    if (saysItself(part)) continue
    // By places, as JSON does: what an array's iterator says may be something else. A member that is undefined is left out: to read it
    // answers undefined again.
    if (Array.isArray(part)) for (let i = 0; i < part.length; i++) rest.push(part[i])
    else for (const member of Object.values(part)) if (member !== undefined) rest.push(member)
  }
}

/** What JSON has a text for that is read as the same. */
function isKeptAlone(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value === 'string' || typeof value === 'boolean' || value === null
}

/**
 * JSON represents such an object completely. For a Map, an Error, bytes or an instance of a class it would write {} or
 * only a part.
 */
function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return false // a Buffer says something, and is not read as that
  return Array.isArray(value) || saysItself(value) || isPlain(value)
}

/** A Date, a URL: what it says is what it wants to be. */
function saysItself(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}

/** Of any realm, or of no class at all. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value)
  const isOfNoClass = prototype === null || Object.getPrototypeOf(prototype) === null
  return isOfNoClass && Object.getOwnPropertySymbols(value).length === 0
}

/** Looks again, for whoever has to find it. */
function lostAt(value: unknown): InvalidArgValueError {
  const rest: [string, unknown][] = [['value', value]]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [path, part] = next
    if (isKeptAlone(part)) continue
    if (!isContainer(part)) return new InvalidArgValueError(`${path} must be a JSON value, got ${show(part)}`)
    if (saysItself(part)) continue
    if (Array.isArray(part)) for (let i = 0; i < part.length; i++) rest.push([`${path}[${i}]`, part[i]])
    else
      for (const [name, member] of Object.entries(part))
        if (member !== undefined) rest.push([`${path}.${name}`, member])
  }
  return new InvalidArgValueError('value changed while it was read')
}

/** Without recursion: the text may come from somebody who wants the stack to overflow. */
function frozen(value: Json): Json {
  const rest: unknown[] = [value]
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (typeof part !== 'object' || part === null) continue
    Object.freeze(part)
    for (const member of Object.values(part)) if (typeof member === 'object' && member !== null) rest.push(member)
  }
  return value
}
