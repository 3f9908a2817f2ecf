/**
 * Errors without a number in Android, on their way to a caller in another process. They are sent as service-specific
 * errors, with numbers that other services do not use (docs/protocol.md, section 10).
 */
import { errorCode, IllegalStateError, ReadOnlyError, ServiceSpecificError, TimeoutError } from './errors.ts'

/** The change was made, and could not be kept. Whoever asked for it must not ask again, as for other states. */
export class NotKeptError extends IllegalStateError {}

/** "msv", and which. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['ERR_TIMEOUT', 0x6d737601],
  ['ERR_READ_ONLY', 0x6d737602],
])
const NOT_KEPT = 0x6d737603

/** The error that a service throws for it: unchanged if Android has a number. */
export function numbered(error: unknown): unknown {
  const number = error instanceof NotKeptError ? NOT_KEPT : NUMBERS.get(errorCode(error) ?? '')
  return number === undefined ? error : new ServiceSpecificError(number, (error as Error).message, { cause: error })
}

/** What the caller throws of what came. */
export function unnumbered(error: ServiceSpecificError): Error {
  const [code] = [...NUMBERS].find(([, number]) => number === error.errorCode) ?? []
  if (code === 'ERR_TIMEOUT') return new TimeoutError(error.message)
  if (code === 'ERR_READ_ONLY') return new ReadOnlyError(error.message)
  if (error.errorCode === NOT_KEPT) return new NotKeptError(error.message)
  return error
}
