/** What a store knows about its keys besides their values: the user who is charged, and the expiry time. */
import { LimitError } from '../util/errors.ts'
import { wallClock } from '../util/timers.ts'
import { Expiry } from './expiry.ts'
import { Holdings } from './holdings.ts'
import type { StoreLedger } from './store-ledger.ts'
import type { StoreReader } from './store-reader.ts'
import type { KeyNote } from './stored-record.ts'

/** A key that could not be deleted in time is tried again after so many milliseconds. */
const EXPIRED_AGAIN_MS = 1000

export class KeyNotes {
  readonly holdings: Holdings
  readonly #reader: StoreReader
  readonly #expire: (key: string) => void
  readonly #expiry = new Expiry((key) => this.#onExpired(key))

  /**
   * @param ledger of the users
   * @param reader knows which keys exist
   * @param expire deletes a key whose time is over. If it throws LimitError it is called again later, because a delete
   *   needs a little room
   */
  constructor(ledger: StoreLedger, reader: StoreReader, expire: (key: string) => void) {
    this.holdings = new Holdings(ledger)
    this.#reader = reader
    this.#expire = expire
  }

  /** Of a key, for whoever keeps it. */
  of(key: string): KeyNote {
    const left = this.leftOf(key)
    return { payer: this.holdings.of(key)?.uid ?? null, endsAt: left === undefined ? null : wallClock() + left }
  }

  /** Of which there is something to note. */
  get keys(): Iterable<string> {
    return new Set([...this.holdings.keys, ...this.#expiry.keys])
  }

  /** In milliseconds from now; undefined: it does not end. */
  leftOf(key: string): number | undefined {
    return this.#expiry.leftOf(key)
  }

  /** The key expires after this many milliseconds; undefined: never. */
  expireAfter(key: string, ttlMs: number | undefined): void {
    if (ttlMs === undefined) this.#expiry.clear(key)
    else this.#expiry.set(key, ttlMs)
  }

  /** Restores notes from an earlier run of the store. Notes of keys that do not exist are dropped. */
  restore(notes: Iterable<readonly [key: string, note: KeyNote]>): void {
    for (const [key, { payer, endsAt }] of notes) {
      if (!this.#reader.has(key)) continue
      if (payer !== null) this.holdings.restore(key, { uid: payer, bytes: this.#reader.byteLengthOf(key) })
      if (endsAt !== null) this.#expiry.set(key, Math.max(endsAt - wallClock(), 1))
    }
  }

  /** Nothing ends by itself any more. */
  close(): void {
    this.#expiry.close()
  }

  #onExpired(key: string): void {
    try {
      this.#expire(key)
    } catch (error) {
      if (!(error instanceof LimitError)) throw error
      this.#expiry.set(key, EXPIRED_AGAIN_MS)
    }
  }
}
