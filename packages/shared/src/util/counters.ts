/** Counts what this thread has done for others, for the metrics of a daemon. Counting must cost nothing, so there is one object. */

export const counters = {
  /** Received calls: those with an answer, and oneway ones. */
  calls: 0,
  onewayCalls: 0,
  /** Watchers told. */
  notices: 0,
  /** Peers that broke the protocol and were disconnected. */
  violations: 0,
}

const refusals = new Map<string, number>()
/** The library has few error codes, but a service can make up codes of its own. */
const MOST_REASONS = 64
const CODE = /^E[A-Z0-9_]{1,63}$/

/** A call, or a peer, was refused. @param reason the code of the error */
export function countRefusal(reason: string | undefined): void {
  const known = reason !== undefined && CODE.test(reason) ? reason : 'other'
  const name = refusals.has(known) || refusals.size < MOST_REASONS ? known : 'other'
  refusals.set(name, (refusals.get(name) ?? 0) + 1)
}

/** How often, by the code of the error. */
export function refusalCounts(): ReadonlyMap<string, number> {
  return refusals
}
