/** How much each user and each peer uses, and how close that is to the limits. */
import type { Shares } from '@memsvc/shared/internal'
import type { Ledger } from '../quota/ledger.ts'
import type { Resource } from '../quota/limits.ts'

/** Of one resource. */
export interface Use {
  readonly used: number
  readonly limit: number
}

export interface UserUsage {
  readonly uid: number
  readonly used: Readonly<Record<string, Use>>
}

export interface PeerUsage extends UserUsage {
  /** 0: it has not said who it is yet. */
  readonly pid: number
  /** Bytes that wait for it to read. */
  readonly queuedBytes: number
}

/** Those who come first. */
const SHOWN = 10

/** The users who are nearest to one of their limits. The own one and root have the totals for limits. */
export function topUsers(ledger: Ledger): UserUsage[] {
  const users = ledger.usage.map(({ uid, used }) => {
    const isFree = uid === 0 || uid === ledger.ownUid
    return { uid, used: against(ledger, used, ({ total, perUser }) => (isFree ? total : perUser)) }
  })
  return nearest(users)
}

/** The connections and channels that are nearest to one of their limits, or have the most to read. */
export function topPeers(ledger: Ledger): PeerUsage[] {
  const peers = [...ledger.accounts].map(({ uid, peer, used }) => ({
    pid: peer?.caller.pid ?? 0,
    uid,
    queuedBytes: peer?.queuedBytes ?? 0,
    used: against(ledger, used, ({ perPeer, perUser }) => perPeer ?? perUser),
  }))
  const queueFirst = peers.sort((a, b) => b.queuedBytes - a.queuedBytes)
  return nearest(queueFirst)
}

/** Bytes that wait for all peers to read. */
export function queuedBytes(ledger: Ledger): number {
  let sum = 0
  for (const { peer } of ledger.accounts) sum += peer?.queuedBytes ?? 0
  return sum
}

function against(
  ledger: Ledger,
  used: Record<string, number>,
  limitOf: (shares: Shares) => number,
): Record<string, Use> {
  const entries = Object.entries(used).map(([resource, count]): [string, Use] => [
    resource,
    { used: count, limit: limitOf(ledger.limits[resource as Resource]) },
  ])
  return Object.fromEntries(entries)
}

function nearest<T extends UserUsage>(all: readonly T[]): T[] {
  const share = ({ used }: T) => Math.max(0, ...Object.values(used).map((each) => each.used / each.limit))
  return all
    .map((each) => ({ each, share: share(each) }))
    .sort((a, b) => b.share - a.share)
    .slice(0, SHOWN)
    .map(({ each }) => each)
}
