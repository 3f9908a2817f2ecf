/** What users have of one store, in a ledger of its own: its totals are for that store alone. */
import process from 'node:process'
import { type Account, Ledger } from '../quota/ledger.ts'
import type { Shares } from '../quota/shares.ts'
import { STORE_LIMITS, type StoreLimits } from './limits.ts'

/** Of all users together `uploads` and `watchers of a store` have a limit; `keys` and `bytes` have that of the area. */
export type StoreResource = 'keys' | 'bytes' | 'uploads' | typeof STORE_LIMITS.watchers.name

export type StoreAccount = Account<StoreResource>

export class StoreLedger extends Ledger<StoreResource> {
  /** By channel, or by the object of this process that stands for one. */
  readonly #accounts = new WeakMap<object, StoreAccount>()

  constructor(limits: StoreLimits) {
    super({ limits: sharesOf(limits), ownUid: process.getuid?.() ?? 0 })
  }

  /** Whatever is charged to it ends with `peer`, who is told. */
  accountOf(peer: object, uid: number): StoreAccount {
    const known = this.#accounts.get(peer)
    if (known !== undefined) return known
    const account = this.open(uid)
    this.#accounts.set(peer, account)
    return account
  }

  /** Other limits: what was charged already stays. */
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
