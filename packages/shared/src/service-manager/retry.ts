/** Tries again if a registry refuses connections: after short random pauses, and for a limited time. */

import { farewellPacket } from '../channel/failure.ts'
import { abortable, abortError } from '../util/abortable.ts'
import { errorCode, LimitError } from '../util/errors.ts'
import { now, setTimeout } from '../util/timers.ts'

/** How long it is tried, in milliseconds. */
const RETRY_FOR_MS = 5000
/** Until the next attempt: half of it at least, and at most all. */
const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 12

/** The resource of a registry's ERR_LIMIT to a user who connects too often: nothing was served. */
export const CONNECTION_RATE = 'new connections of one user'

/** What the registry says to such a user, as a packet. */
export function connectionRateFarewell(limit: number): Uint8Array {
  return farewellPacket(new LimitError(CONNECTION_RATE, limit, limit))
}

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. */
  readonly timeoutMs?: number
}

/**
 * Tries until it works, or fails for another reason than too many others (EAGAIN of connect(2)).
 * @throws what the last attempt threw; AbortError when `signal` fires
 */
export async function retryOverloaded<T>(
  attempt: () => T | Promise<T>,
  { signal, timeoutMs = RETRY_FOR_MS }: RetryOptions = {},
): Promise<T> {
  const deadline = now() + timeoutMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    if (signal?.aborted) throw abortError(signal)
    try {
      return await attempt()
    } catch (error) {
      if (!isOverloaded(error) || now() > deadline) throw error
    }
    await pause(pauseMs, signal)
  }
}

/** Too many connections at once, of all users (EAGAIN of connect(2)) or of this one: it works as soon as they are fewer. */
export function isOverloaded(error: unknown): boolean {
  return errorCode(error) === 'EAGAIN' || (error instanceof LimitError && error.resource === CONNECTION_RATE)
}

/** @returns random milliseconds, so that clients that were refused together do not try again together */
export function jittered(pauseMs: number): number {
  return pauseMs * (0.5 + Math.random() / 2)
}

async function pause(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  await abortable(new Promise<void>((resolve) => setTimeout(resolve, jittered(pauseMs))), signal)
}
