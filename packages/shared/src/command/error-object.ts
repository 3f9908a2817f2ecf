/** An error as JSON for programs: its code and its fields, as one object on one line. */
import { errorCode } from '../util/errors.ts'
import { isError } from '../util/realm.ts'
import { EXIT, type ExitCode, exitCodeOf, ToolError } from './exit-codes.ts'
import { errorText } from './terminal.ts'

/** Also of a line that is wrong. */
export function isJsonAsked(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

export function errorObject(error: unknown): string {
  const origin = originOf(error)
  const carried = isError(origin)
    ? Object.entries(origin).filter(([name, value]) => name !== 'name' && isPlain(value))
    : []
  const fields = Object.fromEntries(carried.map(([name, value]) => [name, jsonField(value)]))
  const exitCode = exitCodeOf(error)
  return JSON.stringify({ ...fields, code: codeOf(origin, exitCode), message: errorText(error), exitCode })
}

/** What the library or the kernel said, which the tool may have said in its own words more than once. */
function originOf(error: unknown): unknown {
  return error instanceof ToolError && error.cause !== undefined ? originOf(error.cause) : error
}

/** The code of the library or the kernel; otherwise the library's code for the tool's own errors. */
function codeOf(origin: unknown, exitCode: ExitCode): string | null {
  const code = errorCode(origin) ?? ''
  return /^E[A-Z0-9_]+$/.test(code) ? code : (CODES[exitCode] ?? null)
}

const CODES: { readonly [K in ExitCode]?: string } = {
  [EXIT.usage]: 'ERR_INVALID_ARG_VALUE',
  [EXIT.notFound]: 'ERR_NO_SUCH_ELEMENT',
  [EXIT.tryAgain]: 'ERR_TIMEOUT',
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
}

/** Versions and other bigints as numbers, if a number can represent them. */
function jsonField(value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
}
