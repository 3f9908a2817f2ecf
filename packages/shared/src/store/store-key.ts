/** The names of values. */

import { Buffer } from 'node:buffer'
import { checkString, show } from '../util/check.ts'
import { InvalidArgValueError } from '../util/errors.ts'

/** Bytes of UTF-8. */
export const MAX_KEY_BYTES = 512

/** Most keys are, and need not be looked at twice. */
const PLAIN = /^[\x20-\x7e]{1,512}$/
/** Control characters, and halves of surrogate pairs, which UTF-8 has none of. */
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u

/**
 * 1 to 512 bytes of UTF-8 without control characters.
 * @throws ERR_INVALID_ARG_VALUE; of another type ERR_INVALID_ARG_TYPE, of null ERR_NULL_POINTER
 */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && PLAIN.test(key)) return
  checkString('key', key)
  const bytes = Buffer.byteLength(key)
  if (bytes >= 1 && bytes <= MAX_KEY_BYTES && !FORBIDDEN.test(key)) return
  throw new InvalidArgValueError(`a key has 1 to ${MAX_KEY_BYTES} bytes and no control characters, got ${show(key)}`)
}

/** Whether any key can begin so. The empty one is the beginning of all. */
export function isPrefix(prefix: string): boolean {
  return PLAIN.test(prefix) || (Buffer.byteLength(prefix) <= MAX_KEY_BYTES && !FORBIDDEN.test(prefix))
}
