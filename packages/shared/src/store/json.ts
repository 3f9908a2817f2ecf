/** Values as they are stored: JSON as its text in UTF-8, or bytes as they are. */
import { Buffer } from 'node:buffer'
import { areaTypes } from 'memfd-native'
import { show } from '../util/check.ts'
import { BadParcelError, InvalidArgValueError } from '../util/errors.ts'
import { isAnyArrayBuffer, isError, isUint8Array } from '../util/realm.ts'

/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The same, and nothing of it can be changed. */
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

/** @throws ERR_INVALID_ARG_VALUE what JSON has no text for: undefined, a function, a cycle, a bigint, other kinds of binary data */
export function encode(value: unknown): Encoded {
  if (isUint8Array(value)) return { type: areaTypes.BYTES, bytes: value }
  return { type: areaTypes.JSON, bytes: Buffer.from(textOf(value)) }
}

/** The frozen value of a text in `bytes`, which nobody else changes. @throws ERR_BAD_PARCEL it is no JSON */
export function decode(bytes: Buffer, length: number): Json {
  try {
    return frozen(JSON.parse(bytes.toString('utf8', 0, length)) as Json)
  } catch (error) {
    throw new BadParcelError('a value of the store is said to be JSON, and is not', { cause: error })
  }
}

function textOf(value: unknown): string {
  // JSON would say {} of the others that hold bytes.
  const text = ArrayBuffer.isView(value) || isAnyArrayBuffer(value) ? undefined : tryStringify(value)
  if (typeof text === 'string') return text
  throw new InvalidArgValueError(`value must be a Uint8Array or what JSON can say, got ${show(value)}`)
}

function tryStringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    const why = isError(error) ? error.message : show(error) // a toJSON may throw anything
    throw new InvalidArgValueError(`value must be what JSON can say: ${why}`, { cause: error })
  }
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
