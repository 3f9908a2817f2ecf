/** How long a user is served in one turn of the event loop. docs/protocol.md, section 8. */

import process from 'node:process'
import type { Limit } from '../util/limit.ts'

/** A user's share of a turn. The first message is served whatever it takes. */
export interface Share {
  readonly messages: number
  /** @param waiting users who wait at the moment */
  milliseconds(waiting: number): number
  /** What a message is expected to leave to promises, in milliseconds, until it is known. */
  readonly initialDeferredMs: number
  /** How many messages of a packet are served between two checks of the clock: one less than a power of 2. */
  readonly clockMask: number
}

/** Nothing fails beyond these limits: the rest is served in the next turns. */
export const TURN_LIMITS = {
  messages: {
    name: 'messages of one user in a turn',
    limit: 512,
    unit: 'messages',
    error: null,
    meaning:
      "served in one turn of the event loop, for every user except the process's own and root; the others wait for the next turns",
  },
  time: {
    name: 'time of one user in a turn',
    limit: 2,
    unit: 'milliseconds',
    error: null,
    meaning: 'the same; all waiting users together get twice as much, and each gets at least half a millisecond',
  },
  ownTime: {
    name: 'time of the own user in a turn',
    limit: 50,
    unit: 'milliseconds',
    error: null,
    meaning: "the same for the process's own user and for root",
  },
} as const satisfies Record<string, Limit>

/** Milliseconds of all foreign users that wait, together; two of them share it, more get less each. */
const FOREIGN_MS = 2 * TURN_LIMITS.time.limit
const MIN_MS = 0.5

const foreign: Share = {
  messages: TURN_LIMITS.messages.limit,
  milliseconds: (waiting) => Math.max(MIN_MS, FOREIGN_MS / Math.max(2, waiting)),
  initialDeferredMs: 0.05,
  clockMask: 0,
}

/** A thousand clients that call at once are within it: they need not wait for each other. */
const own: Share = {
  messages: Number.POSITIVE_INFINITY,
  milliseconds: () => TURN_LIMITS.ownTime.limit,
  initialDeferredMs: 0,
  clockMask: 7,
}

const ownUid = process.getuid?.() ?? 0

/** This process' own user, and root, have more: they could stop the process altogether. */
export function shareOf(uid: number): Share {
  return uid === ownUid || uid === 0 ? own : foreign
}
