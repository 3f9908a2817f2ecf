/**
 * Parses JSON that a person or another program wrote, to be put into a store. JavaScript's numbers are doubles, and
 * `JSON.parse` silently rounds what they cannot hold: `12345678901234567890` would become another number. Here it is an
 * error.
 */

import type { Json } from '../store/json.ts'
import { InvalidArgValueError } from '../util/errors.ts'

/** Only a text that matches can have a number that a double cannot hold. Then each number is checked. */
const LONG_NUMBER = /\d{16}|[eE]\+?\d{3}/
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const INTEGER = /^[+-]?\d+$/
const SHOWN_CHARACTERS = 40

/**
 * @throws SyntaxError if the text is not JSON
 * @throws ERR_INVALID_ARG_VALUE if an integer in it has more digits than a number keeps, or a number is too large
 */
export function parseExact(text: string): Json {
  const value = JSON.parse(text) as Json
  if (LONG_NUMBER.test(text)) for (const part of outsideOfStrings(text)) checkNumbers(part)
  return value
}

/** Whether a finite number is exactly the integer that was written. True for fractions: nobody expects all their digits. */
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

/** The parts of a JSON text that are outside its strings. */
function* outsideOfStrings(text: string): Generator<string> {
  for (let from = 0; ; ) {
    const quote = text.indexOf('"', from)
    yield text.slice(from, quote < 0 ? text.length : quote)
    if (quote < 0) return
    from = endOfString(text, quote)
  }
}

/** @param begin the position of its opening quote. @returns the position behind the closing one */
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
