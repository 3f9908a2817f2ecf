/** What both commands do with data that they print, and with a place that does not take it. */
import { Buffer } from 'node:buffer'
import { writeSync } from 'node:fs'
import { errorCode } from '../util/errors.ts'
import { isError } from '../util/realm.ts'
import { EXIT, ToolError } from './exit-codes.ts'

/** Nobody reads any more (EPIPE): there is nothing left to do, and nothing went wrong. */
export class ReaderGone extends Error {}

/** What went wrong with `place`, as a command says it. */
export function outputError(cause: unknown, place = 'stdout'): Error {
  if (errorCode(cause) === 'EPIPE') return new ReaderGone(`nobody reads ${place}`, { cause })
  return new ToolError(EXIT.failed, `cannot write to ${place}: ${isError(cause) ? cause.message : String(cause)}`, {
    cause,
  })
}

/**
 * Writes as much as the system accepts at once: everything, unless somebody made the descriptor non-blocking.
 * @returns the rest
 * @throws ReaderGone, ToolError
 */
export function writeNow(fd: number, data: Uint8Array, place?: string): Uint8Array {
  let rest = data
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    return rest
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return rest
    throw outputError(error, place)
  }
}

/** A line with its end, or bytes as they are. */
export function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(`${data}\n`) : data
}
