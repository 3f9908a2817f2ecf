/**
 * How true a copy is, as the header of its areas says it, seen by a reader who believes it only for a while: a process that was stopped
 * cannot say that it was.
 */
import { type AreaHeader, bootTime } from 'memfd-native'
import { replicaStates } from './replica-words.ts'

/** Of a copy of values elsewhere. */
export interface Freshness {
  state: 'live' | 'stale' | 'syncing' | 'refused'
  /** The age of the copy in milliseconds; Infinity if unknown. */
  ageMs: number
  /** The last revision of the origin that it contains. */
  applied: bigint
}

/** The process that fills a copy marks it as stale before it is this old. Milliseconds. */
const LIVE_FOR_MS = 5000

const NAMES: Readonly<Record<number, Freshness['state']>> = {
  [replicaStates.SYNCING]: 'syncing',
  [replicaStates.LIVE]: 'live',
  [replicaStates.STALE]: 'stale',
  [replicaStates.REFUSED]: 'refused',
}

/** The state of all areas together, which is that of the worst one; null if the store is not a copy. */
export function freshnessOf(headers: readonly AreaHeader[], now = bootTime()): Freshness | null {
  let worst: Freshness | null = null
  for (const header of headers) {
    const found = freshnessOfOne(header, now)
    if (found === null) return null
    if (worst === null || found.ageMs > worst.ageMs) worst = found
  }
  return worst
}

function freshnessOfOne({ replicaState, applied, contact }: AreaHeader, now: number): Freshness | null {
  const name = NAMES[replicaState]
  if (name === undefined) return null
  const ageMs = contact === 0n ? Number.POSITIVE_INFINITY : Math.max(now - Number(contact) / 1e6, 0)
  return { state: name === 'live' && ageMs > LIVE_FOR_MS ? 'stale' : name, ageMs, applied }
}
