/**
 * How a command ends: the only place with the numbers, for memsvc and memclient. Scripts test them; docs/errors.md has the
 * same table, and a test compares the two.
 */
import { errorCode } from '../util/errors.ts'

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notPermitted: 4,
  tryAgain: 5,
  conflict: 6,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** In words, by number; for the help and the documents. */
export const EXIT_MEANINGS = [
  'done',
  'failed',
  'usage or bad value',
  'no registry, no such service or key',
  'not permitted',
  'try again',
  'conflict',
] as const

/** The codes of errors that do not end in `failed`. */
export const EXIT_BY_ERROR_CODE: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ['ERR_INVALID_ARG_TYPE', EXIT.usage],
  ['ERR_INVALID_ARG_VALUE', EXIT.usage],
  ['ERR_OUT_OF_RANGE', EXIT.usage],
  ['ERR_REGISTRY_UNAVAILABLE', EXIT.notFound],
  ['ERR_SERVICE_NOT_FOUND', EXIT.notFound],
  ['ERR_SECURITY', EXIT.notPermitted],
  // a copy of a cluster's values, on a machine that may not change them
  ['ERR_READ_ONLY', EXIT.notPermitted],
  // open(2), mkdir(2) and bind(2) in a folder of another user's
  ['EACCES', EXIT.notPermitted],
  ['EPERM', EXIT.notPermitted],
  ['ERR_LIMIT', EXIT.tryAgain],
  // connect(2): the queue of a registry that does not accept is full
  ['EAGAIN', EXIT.tryAgain],
  ['ERR_TIMEOUT', EXIT.tryAgain],
  ['ERR_CONFLICT', EXIT.conflict],
])

/** An error of a command's own, which knows how the command ends. The message is for people. */
export class ToolError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** The exit code for anything thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ToolError) return error.exitCode
  return EXIT_BY_ERROR_CODE.get(errorCode(error) ?? '') ?? EXIT.failed
}
