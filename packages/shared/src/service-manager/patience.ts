/** Trying again where a registry has too many at its door: a moment later, not all at the same time, not for ever. */
import { farewellPacket } from '../channel/failure.ts'
import { abortError } from '../util/abortable.ts'
import { errorCode, LimitError } from '../util/errors.ts'
import { nodeTimers } from '../util/late-modules.ts'

/** How long it is tried, in milliseconds. */
const PATIENCE_MS = 5000
/** Until the next attempt: half of it at least, and at most all. */
const FIRST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 12

/** The resource of a registry's ERR_LIMIT to a user who connects too often: nothing was served. */
export const CROWD = 'new connections of one user'

/** What the registry says to him, as a packet. */
export function crowdFarewell(limit: number): Uint8Array {
  return farewellPacket(new LimitError(CROWD, limit, limit))
}

export interface Patience {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. */
  readonly patienceMs?: number
}

/**
 * Tries until it works, or fails for another reason than too many others (EAGAIN of connect(2)).
 * @throws what the last attempt threw; AbortError when `signal` fires
 */
export async function patiently<T>(
  attempt: () => T | Promise<T>,
  { signal, patienceMs = PATIENCE_MS }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    if (signal?.aborted) throw abortError(signal)
    try {
      return await attempt()
    } catch (error) {
      if (!isCrowded(error) || performance.now() > deadline) throw error
    }
    await pause(pauseMs, signal)
  }
}

/** Too many at the door, of all users (EAGAIN of connect(2)) or of this one: it works as soon as they are fewer. */
export function isCrowded(error: unknown): boolean {
  return errorCode(error) === 'EAGAIN' || (error instanceof LimitError && error.resource === CROWD)
}

/** @returns milliseconds, at random, so that those who were turned away together do not come again together */
export function jittered(pauseMs: number): number {
  return pauseMs * (0.5 + Math.random() / 2)
}

async function pause(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await nodeTimers().setTimeout(jittered(pauseMs), undefined, signal === undefined ? {} : { signal })
  } catch {
    throw abortError(signal)
  }
}
