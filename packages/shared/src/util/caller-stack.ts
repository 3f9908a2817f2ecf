/**
 * Errors of calls under way. What comes from outside has no stack that says anything, and to record the caller's with each call
 * would take as long as the call. But V8 knows who awaits a promise, and tells it to errors that are made in the microtask
 * which leads there.
 */

/**
 * Rejects with the error when its stack has been continued by those who await it. Resolve with this what they await, or await it
 * yourself, and let nobody else have it.
 */
export async function failForCaller(error: unknown): Promise<never> {
  // A promise that is resolved with this one is its reaction one microtask later.
  await null
  await null
  if (error instanceof Error) addCallers(error)
  throw error
}

function addCallers(error: Error): void {
  const here: { stack?: unknown } = {}
  try {
    Error.captureStackTrace(here, failForCaller)
    if (typeof here.stack !== 'string' || typeof error.stack !== 'string') return // somebody prepares stacks in their own way
    const end = here.stack.indexOf('\n    at ')
    if (end >= 0) error.stack += here.stack.slice(end)
  } catch {
    // it is frozen
  }
}
