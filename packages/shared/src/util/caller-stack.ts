/**
 * Stacks for errors of calls under way. An error from outside has no useful stack, and recording the caller's stack
 * with each call would take as long as the call. But V8 knows which functions await a promise, and adds them to errors
 * that are made in the microtask that leads there.
 */

/**
 * Rejects with the error after its stack has got the functions that await it. Resolve their promise with this, or await
 * it yourself, and do not use it anywhere else.
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
