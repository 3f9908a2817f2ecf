/** Counts what users have in one store. Each store has a ledger of its own, because the totals apply to that store only. */
import process from 'node:process'
import { type Account, Ledger } from '../quota/ledger.ts'
import type { Shares } from '../quota/shares.ts'
import { STORE_LIMITS, type StoreLimits } from './limits.ts'

/**
 * `uploads` and `watchers of a store` have totals for all users together; for `keys` and `bytes` the area's size is the
 * total.
 */
export type StoreResource = 'keys' | 'bytes' | 'uploads' | typeof STORE_LIMITS.watchers.name

export type StoreAccount = Account<StoreResource>

export class StoreLedger extends Ledger<StoreResource> {
  /** By channel, or by the local object in place of one. */
  readonly #accounts = new WeakMap<object, StoreAccount>()

  constructor(limits: StoreLimits) {
    super({ limits: sharesOf(limits), ownUid: process.getuid?.() ?? 0 })
  }

  /** Everything charged to it is refunded when `peer` ends. */
  accountOf(peer: object, uid: number): StoreAccount {
    const known = this.#accounts.get(peer)
    if (known !== undefined) return known
    const account = this.open(uid)
    this.#accounts.set(peer, account)
    return account
  }

  /** Sets other limits; existing charges stay. */
  setLimits(limits: StoreLimits): void {
    this.limits = sharesOf(limits)
  }
}

function sharesOf(limits: StoreLimits): Record<StoreResource, Shares> {
  const { keysOfUser, bytesOfUser, uploads, uploadsOfUser, uploadsOfPeer } = limits
  const { watchers, watchersOfUser, watchersOfPeer } = limits
  return {
    keys: { total: Number.POSITIVE_INFINITY, perUser: keysOfUser },
    bytes: { total: Number.POSITIVE_INFINITY, perUser: bytesOfUser },
    uploads: { total: uploads, perUser: uploadsOfUser, perPeer: uploadsOfPeer },
    [STORE_LIMITS.watchers.name]: { total: watchers, perUser: watchersOfUser, perPeer: watchersOfPeer },
  }
}
