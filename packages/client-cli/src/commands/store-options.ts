/** Options of the commands of a store, as they are written. */
import { EXIT, isExact, MAX_SECONDS, readDecimal, ToolError } from '@memsvc/shared/internal'

const MAX_VERSION = 2n ** 63n - 1n
/** Decimal too: a script's arithmetic may print it so. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * `--if-version N`.
 * @throws ToolError with EXIT.usage if it is not a version
 */
export function readVersion(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  const version = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n
  if (version >= 0n && version <= MAX_VERSION) return version
  throw wrong('--if-version', 'a version, or 0 for no value', text)
}

/**
 * `--ttl SECONDS`, in milliseconds.
 * @throws ToolError with EXIT.usage if it is not a time
 */
export function readTtl(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ttlMs = readDecimal(text) * 1000
  if (ttlMs > 0 && ttlMs <= Number.MAX_SAFE_INTEGER) return ttlMs
  throw wrong('--ttl', 'a number of seconds above 0', text)
}

/**
 * `--max-age TIME`, in milliseconds: `5`, `5s`, `500ms`, `2min`.
 * @throws ToolError with EXIT.usage if it is not a time
 */
export function readMaxAge(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, count = '', unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|min)?$/.exec(text) ?? []
  if (count !== '') return Number(count) * (UNITS_MS[unit] as number)
  throw wrong('--max-age', 'a time like 5s, 500ms or 2min', text)
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 }

/**
 * `--count N`.
 * @throws ToolError with EXIT.usage if it is not a number above 0
 */
export function readCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  const count = /^\d+$/.test(text) ? Number(text) : 0
  if (count > 0) return count
  throw wrong('--count', 'a whole number above 0', text)
}

/**
 * `--wait [SECONDS]`: null if it is not asked for.
 * @throws ToolError with EXIT.usage if it is not a time
 */
export function readWait(text: string | undefined): number | null {
  if (text === undefined) return null
  const seconds = text === '' ? MAX_SECONDS : readDecimal(text)
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw wrong('--wait', 'a number of seconds above 0', text)
}

/**
 * BY of `increment`.
 * @throws ToolError with EXIT.usage if it is not a finite number, or has more digits than one keeps
 */
export function readNumber(text: string): number {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(number)) throw wrong('BY', 'a number', text)
  if (isExact(text, number)) return number
  throw wrong('BY', 'a number of no more digits than one keeps', text)
}

function wrong(what: string, wanted: string, text: string): ToolError {
  return new ToolError(EXIT.usage, `${what} must be ${wanted}; got ${JSON.stringify(text)}`)
}
