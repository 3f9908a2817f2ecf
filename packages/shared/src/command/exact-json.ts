/**
 * JSON that a person wrote, or another program, and that a store is to keep. Its numbers are doubles: `JSON.parse` rounds what they cannot
 * hold, without a word, and `12345678901234567890` would come back as another number.
 */

import type { Json } from '../store/json.ts'
import { InvalidArgValueError } from '../util/errors.ts'

/** There may be a number in it that a double cannot hold: it is looked at each of them then. */
const LONG_NUMBER = /\d{16}|[eE]\+?\d{3}/
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const INTEGER = /^[+-]?\d+$/
const SHOWN_CHARACTERS = 40

/** @throws SyntaxError it is no JSON @throws ERR_INVALID_ARG_VALUE an integer in it has more digits than a number keeps, or a number is too large for one */
export function parseExact(text: string): Json {
  const value = JSON.parse(text) as Json
  if (LONG_NUMBER.test(text)) for (const part of outsideOfStrings(text)) checkNumbers(part)
  return value
}

/** Whether a finite number has all digits of the integer that was written; of a fraction nobody expects that. */
export function isExact(written: string, number: number): boolean {
  return !INTEGER.test(written) || Number.isSafeInteger(number) || BigInt(written.replace('+', '')) === BigInt(number)
}

function checkNumbers(part: string): void {
  for (const [written] of part.matchAll(NUMBER)) {
    const number = Number(written)
    if (!Number.isFinite(number))
      throw new InvalidArgValueError(`a number must be at most 1.8e308, got ${shortened(written)}`)
    if (isExact(written, number)) continue
    const nearest = BigInt(number)
    throw new InvalidArgValueError(
      `${shortened(written)} has more digits than a number keeps (the nearest is ${shortened(String(nearest))}): put it in quotes`,
    )
  }
}

/** Of a text that is JSON. */
function* outsideOfStrings(text: string): Generator<string> {
  for (let from = 0; ; ) {
    const quote = text.indexOf('"', from)
    yield text.slice(from, quote < 0 ? text.length : quote)
    if (quote < 0) return
    from = endOfString(text, quote)
  }
}

/** @returns the place behind it */
function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes += 1
    if (escapes % 2 === 0) return end + 1
  }
}

function shortened(written: string): string {
  return written.length > SHOWN_CHARACTERS ? `${written.slice(0, SHOWN_CHARACTERS)}...` : written
}
