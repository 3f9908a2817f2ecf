/** How the tool ends: the only place with numbers. Scripts test these; docs and README have the same table. */

export const EXIT = {
  done: 0,
  failed: 1,
  /** Usage, or a value that cannot be. */
  usage: 2,
  /** No registry, or no such service. */
  notFound: 3,
  notPermitted: 4,
  /** A limit, or no answer in time: later it may work. */
  tryAgain: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** An error of the tool's own, which knows how the tool ends. The message is for people. */
export class ToolError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

const BY_ERROR_CODE = new Map<unknown, ExitCode>([
  ['ERR_INVALID_ARG_VALUE', EXIT.usage],
  ['ERR_REGISTRY_UNAVAILABLE', EXIT.notFound],
  ['ERR_SERVICE_NOT_FOUND', EXIT.notFound],
  ['ERR_SECURITY', EXIT.notPermitted],
  ['ERR_LIMIT', EXIT.tryAgain],
  // connect(2): the queue of a registry that does not accept is full.
  ['EAGAIN', EXIT.tryAgain],
])

/** The exit code for anything thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ToolError) return error.exitCode
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return BY_ERROR_CODE.get(code) ?? EXIT.failed
}
