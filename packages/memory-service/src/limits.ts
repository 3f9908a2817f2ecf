/**
 * The daemon's limits, as data: the code charges by this table, the README shows it. Reaching one is ERR_LIMIT with the
 * resource's name, and nothing has happened.
 *
 * A user other than the daemon's own and root has a share, so that one user cannot take all of anything.
 */
export interface Limit {
  /** For all users together. */
  readonly total: number
  /** For each user that is neither the daemon's own nor root. */
  readonly perUser: number
  /** On one connection or channel. */
  readonly perPeer: number
  readonly meaning: string
}

export const LIMITS = {
  connections: { total: 4096, perUser: 1024, perPeer: 1, meaning: 'connections to the registry' },
  channels: { total: 16_384, perUser: 1024, perPeer: 1, meaning: 'channels to the memory service' },
  names: { total: 4096, perUser: 512, perPeer: 128, meaning: 'services registered by name' },
  notifications: { total: 16_384, perUser: 1024, perPeer: 256, meaning: 'callbacks for registrations' },
  watchers: { total: 65_536, perUser: 4096, perPeer: 256, meaning: 'callbacks for changes of the value' },
} as const satisfies Record<string, Limit>

export type Resource = keyof typeof LIMITS

/** Watchers told in one turn of the event loop; the others follow in the next ones. */
export const NOTICES_PER_TURN = 256

/** How long the listener rests, in milliseconds, when there is no descriptor left to accept with. */
export const ACCEPT_PAUSE_MS = 100

/** Peers over a limit that may wait for their answer at once; any more are closed without one. */
export const MAX_REFUSED_WAITING = 64
