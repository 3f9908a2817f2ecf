/**
 * Errors without a stack. Recording a stack takes longer than serving a call, and it says nothing about an error that
 * is an answer to a peer or comes from outside. So a refused request costs no more than others.
 */

/** Stops recording. @returns what to give to `resumeStackTraces`; undefined where somebody froze the setting */
export function pauseStackTraces(): { readonly limit: number } | undefined {
  const limit = Error.stackTraceLimit
  return setLimit(0) ? { limit } : undefined
}

export function resumeStackTraces(before: { readonly limit: number } | undefined): void {
  if (before !== undefined) setLimit(before.limit)
}

/** An error that is somebody's answer, or comes from outside. */
export function withoutStack<T>(make: () => T): T {
  const before = pauseStackTraces()
  try {
    return make()
  } finally {
    resumeStackTraces(before)
  }
}

/** Of an error that is somebody's answer, and was made where nobody knows that. */
export function stripStack(error: unknown): unknown {
  if (error instanceof Error) withoutStack(() => Error.captureStackTrace(error))
  return error
}

/** False: `Error` is frozen, or the limit cannot be written. */
function setLimit(limit: number): boolean {
  try {
    Error.stackTraceLimit = limit
    return true
  } catch {
    return false
  }
}
