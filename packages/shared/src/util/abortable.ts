/** Waiting that a signal ends. */
import { AbortError } from './errors.ts'

/**
 * What `work` comes to, or AbortError as soon as `signal` fires. The work itself goes on: it has to look at the signal.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(abortError(signal))
  })
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What a wait rejects with when this signal has ended it. */
export function abortError(signal: AbortSignal | undefined): AbortError {
  return new AbortError('the wait was aborted', { cause: signal?.reason })
}
