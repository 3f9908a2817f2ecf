/** The values of the memory service. */

import { EXIT, ToolError } from '@memsvc/shared/internal'

const MIN = -(2 ** 31)
const MAX = 2 ** 31 - 1
/** What Java's Integer.parseInt takes, as the seed's client did. */
const DECIMAL = /^[+-]?[0-9]+$/

/** @throws ToolError with EXIT.usage if it is not a decimal integer of 32 bits */
export function parseInt32(text: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN
  if (value >= MIN && value <= MAX) return value + 0 // -0 is 0
  throw new ToolError(EXIT.usage, `the value must be a decimal integer from ${MIN} to ${MAX}, got ${quote(text)}`)
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
}
