/** A change of a store that a user pays for: it is charged before it is made. The keeper of the store may hear of it first. */
import { wallClock } from '../util/timers.ts'
import type { Charge, Holdings } from './holdings.ts'
import type { StoreKeeper } from './keeper.ts'

/** How a value is put. */
export interface PutOptions {
  /** The user who is charged; null: nobody. */
  readonly payer: number | null
  /** Milliseconds after which it is deleted; undefined: never. */
  readonly ttlMs?: number | undefined
}

export class Payments {
  readonly #holdings: Holdings
  readonly #keeper: StoreKeeper | null

  constructor(holdings: Holdings, keeper: StoreKeeper | null) {
    this.#holdings = holdings
    this.#keeper = keeper
  }

  /**
   * Charges for a change, makes it and settles. If it fails or changes nothing, the charge is refunded.
   * @param commit makes the change. @returns its version, 0n: nothing has changed
   * @throws ERR_LIMIT; what `commit` throws
   */
  commit(put: PutOptions, charges: readonly Charge[], commit: () => bigint): bigint {
    const debit = this.#holdings.charge(put.payer, charges)
    try {
      const keys = charges.map(({ key }) => key)
      const version = this.#announced(keys, put, commit)
      if (version === 0n) this.#holdings.refund(debit)
      else this.#holdings.settle(debit, charges)
      return version
    } catch (error) {
      this.#holdings.refund(debit)
      throw error
    }
  }

  /** Tells the keeper before the change, and after it if nothing has changed. */
  #announced(keys: readonly string[], { payer, ttlMs }: PutOptions, commit: () => bigint): bigint {
    const keeper = this.#keeper
    if (keeper?.changing === undefined) return commit()
    keeper.changing(keys, { payer, endsAt: ttlMs === undefined ? null : wallClock() + ttlMs })
    let version = 0n
    try {
      version = commit()
      return version
    } finally {
      if (version === 0n) keeper.changed(keys)
    }
  }
}
