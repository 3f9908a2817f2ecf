/** The rule for keys of a store. */

import { Buffer } from 'node:buffer'
import { checkString, show } from '../util/check.ts'
import { InvalidArgValueError } from '../util/errors.ts'

/** Bytes of UTF-8. */
const MAX_KEY_BYTES = 512

/** Printable ASCII: most keys are, and need not be looked at twice. */
const PLAIN = /^[\x20-\x7e]{1,512}$/
const [FIRST_PLAIN, LAST_PLAIN] = [0x20, 0x7e]
/** A key of so few characters is looked at one by one: that takes a third of what a regular expression does. */
const SHORT = 32
/** Control characters, and halves of surrogate pairs, which UTF-8 has none of. */
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u
/** The last plain one: who writes a key again does not wait for it to be looked at again. */
let checked = ' '

/**
 * 1 to 512 bytes of UTF-8 without control characters.
 * @throws ERR_INVALID_ARG_VALUE; of another type ERR_INVALID_ARG_TYPE, of null ERR_NULL_POINTER
 */
export function checkKey(key: unknown): asserts key is string {
  if (key === checked) return
  if (typeof key === 'string' && isPlain(key)) {
    checked = key
    return
  }
  checkString('key', key)
  const bytes = Buffer.byteLength(key)
  if (bytes >= 1 && bytes <= MAX_KEY_BYTES && !FORBIDDEN.test(key)) return
  throw new InvalidArgValueError(
    `a key must have 1 to ${MAX_KEY_BYTES} bytes of UTF-8 and no control characters, got ${show(key)}`,
  )
}

/** Whether any key can begin so. The empty one is the beginning of all. */
export function isPrefix(prefix: string): boolean {
  return isPlain(prefix) || (Buffer.byteLength(prefix) <= MAX_KEY_BYTES && !FORBIDDEN.test(prefix))
}

function isPlain(key: string): boolean {
  if (key.length > SHORT || key.length === 0) return PLAIN.test(key)
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code < FIRST_PLAIN || code > LAST_PLAIN) return false
  }
  return true
}
