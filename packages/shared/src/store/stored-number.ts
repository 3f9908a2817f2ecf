/** The number that a key of a store has. */
import { InvalidArgValueError } from '../util/errors.ts'
import type { StoreReader } from './store-reader.ts'

/** In bytes of its text. Decoding the longest value would take a second, and a hundred times its memory. */
const LONGEST_NUMBER = 1024

/** @returns undefined if the key has no value. @throws ERR_INVALID_ARG_VALUE if its value is not a number */
export function storedNumber(reader: StoreReader, key: string): number | undefined {
  const value = reader.byteLengthOf(key) > LONGEST_NUMBER ? null : reader.getTolerantly(key)
  if (value === undefined || typeof value === 'number') return value
  throw new InvalidArgValueError(`the value of ${key} is not a number`)
}
