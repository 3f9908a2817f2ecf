/** How long a user is served in one turn of the event loop. docs/protocol.md, section 8. */

/** A user's share of a turn. The first message is served whatever it takes. */
export interface Share {
  readonly messages: number
  /** @param waiting users who wait at the moment */
  milliseconds(waiting: number): number
  /** What a message is expected to leave to promises, in milliseconds, until it is known. */
  readonly initialDeferredMs: number
  /** Of a packet, messages that are served between two looks at the clock: one less than a power of 2. */
  readonly clockMask: number
}

/** Milliseconds of all foreign users that wait, together; two of them share it, more get less each. */
const FOREIGN_MS = 4
const MIN_MS = 0.5

const foreign: Share = {
  messages: 512,
  milliseconds: (waiting) => Math.max(MIN_MS, FOREIGN_MS / Math.max(2, waiting)),
  initialDeferredMs: 0.05,
  clockMask: 0,
}

/** A thousand clients that call at once are within it: they need not wait for each other. */
const own: Share = { messages: Number.POSITIVE_INFINITY, milliseconds: () => 50, initialDeferredMs: 0, clockMask: 7 }

const ownUid = process.getuid?.() ?? 0

/** This process' own user, and root, have more: they could stop the process altogether. */
export function shareOf(uid: number): Share {
  return uid === ownUid || uid === 0 ? own : foreign
}
