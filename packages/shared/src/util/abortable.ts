/** Waits that a signal can end. */
import { AbortError } from './errors.ts'

const ABORTED = Symbol('aborted')

/**
 * The result of `work`, or AbortError as soon as `signal` fires. The work itself continues unless it watches the
 * signal.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let onAbort = (): void => {}
  const aborted = new Promise<typeof ABORTED>((resolve) => {
    onAbort = () => resolve(ABORTED)
  })
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    const result = await Promise.race([work, aborted])
    if (result !== ABORTED) return result
    throw abortError(signal) // made here, where V8 knows who waits
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What a wait rejects with when this signal has ended it. */
export function abortError(signal: AbortSignal | undefined): AbortError {
  return new AbortError('the wait was aborted', { cause: signal?.reason })
}
