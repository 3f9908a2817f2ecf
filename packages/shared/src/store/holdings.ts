/**
 * Counts the values of a store for the users who wrote them last. They are charged before they exist. Values of the
 * owner's user and root are not counted.
 */
import type { StoreLedger } from './store-ledger.ts'

/** The user who is charged for a value, and the bytes. */
export interface Holding {
  readonly uid: number
  /** Of the value. */
  readonly bytes: number
}

/** A value that is about to be put: `null` bytes delete it. */
export interface Charge {
  readonly key: string
  /** Of the value. */
  readonly bytes: number | null
}

/** A charge that does not belong to a value yet. */
export interface Debit {
  /** Null: one without a share. */
  readonly uid: number | null
  readonly keys: number
  readonly bytes: number
}

/** What an upload counts: what it adds to the value that it will replace, as long as that is there. */
interface Hold {
  readonly uid: number
  /** Bytes that it will have. */
  readonly wanted: number
  keys: number
  bytes: number
}

const NOTHING: Debit = Object.freeze({ uid: null, keys: 0, bytes: 0 })

export class Holdings {
  readonly #ledger: StoreLedger
  readonly #byKey = new Map<string, Holding>()
  /** Keys for which an upload is under way that counts only what it adds: one for each. */
  readonly #replacing = new Map<string, Hold>()

  constructor(ledger: StoreLedger) {
    this.#ledger = ledger
  }

  /**
   * Charges what these values, and those that go with them, add to what the user has. To be settled, or refunded.
   * @param uid null: one without a share. @throws ERR_LIMIT, and nothing is charged
   */
  charge(uid: number | null, charges: readonly Charge[]): Debit {
    if (uid === null) return NOTHING
    let [keys, bytes] = [0, 0]
    for (const charge of charges) {
      const own = this.#ownOf(uid, charge.key)
      if (charge.bytes !== null) {
        keys += own === undefined ? 1 : 0
        bytes += charge.bytes - (own?.bytes ?? 0)
      } else if (own !== undefined && !this.#replacing.has(charge.key)) {
        keys -= 1
        bytes -= own.bytes
      }
    }
    return this.#charge({ uid, keys: Math.max(keys, 0), bytes: Math.max(bytes, 0) })
  }

  /** They will not be put. */
  refund({ uid, keys, bytes }: Debit): void {
    if (uid === null) return
    this.#ledger.refund('keys', uid, keys)
    this.#ledger.refund('bytes', uid, bytes)
  }

  /** The values were stored: the previous users are no longer charged for them. */
  settle(debit: Debit, charges: readonly Charge[]): void {
    const { uid } = debit
    if (uid === null && this.#byKey.size === 0) return
    let [keys, bytes] = [debit.keys, debit.bytes]
    for (const charge of charges) {
      const before = this.#byKey.get(charge.key)
      if (before !== undefined && before.uid === uid) {
        const rest = this.#withoutHold(charge.key, before, charge.bytes)
        keys += rest.keys
        bytes += rest.bytes
      } else this.release(charge.key)
      if (uid === null || charge.bytes === null) {
        this.#byKey.delete(charge.key)
        continue
      }
      this.#byKey.set(charge.key, { uid, bytes: charge.bytes })
      keys -= 1
      bytes -= charge.bytes
    }
    this.refund({ uid, keys, bytes })
  }

  /** A value that is still to come, in parts: what it adds. @returns gives it back. @throws ERR_LIMIT */
  hold(uid: number | null, key: string, bytes: number): () => void {
    if (uid === null) return () => undefined
    const own = this.#ownOf(uid, key)
    const replaces = own !== undefined && !this.#replacing.has(key)
    const hold: Hold = {
      uid,
      wanted: bytes,
      keys: own === undefined ? 1 : 0,
      bytes: Math.max(bytes - (replaces ? own.bytes : 0), 0),
    }
    this.#charge(hold)
    if (replaces) this.#replacing.set(key, hold)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      if (this.#replacing.get(key) === hold) this.#replacing.delete(key)
      this.refund(hold)
    }
  }

  /** The user who is charged for the value of the key; undefined if none is. */
  of(key: string): Holding | undefined {
    return this.#byKey.get(key)
  }

  /** Those that somebody pays for. */
  get keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  /** A value of an earlier store, for which its user was charged there. It is charged again, whatever the limit is now. */
  restore(key: string, { uid, bytes }: Holding): void {
    this.#ledger.hold('keys', uid, 1)
    this.#ledger.hold('bytes', uid, bytes)
    this.#byKey.set(key, { uid, bytes })
  }

  /** Nobody pays for this key any more. */
  release(key: string): void {
    const holding = this.#byKey.size === 0 ? undefined : this.#byKey.get(key)
    if (holding === undefined) return
    this.#byKey.delete(key)
    this.refund({ uid: holding.uid, ...this.#withoutHold(key, holding, null) })
  }

  /**
   * The old value goes, or has this many bytes from now on. An upload that will replace it was charged only for the
   * additional bytes, so it keeps the part that it needs.
   * @returns the rest
   */
  #withoutHold(key: string, before: Holding, after: number | null): { keys: number; bytes: number } {
    const hold = this.#replacing.get(key)
    if (hold === undefined) return { keys: 1, bytes: before.bytes } // otherwise it is of the same user
    const more = Math.max(hold.wanted - (after ?? 0) - hold.bytes, 0)
    hold.bytes += more
    if (after !== null) return { keys: 1, bytes: before.bytes - more }
    this.#replacing.delete(key)
    hold.keys += 1
    return { keys: 0, bytes: before.bytes - more }
  }

  #ownOf(uid: number, key: string): Holding | undefined {
    const holding = this.#byKey.get(key)
    return holding?.uid === uid ? holding : undefined
  }

  #charge(debit: Debit & { uid: number }): Debit {
    const { uid, keys, bytes } = debit
    this.#ledger.charge('keys', uid, keys)
    try {
      this.#ledger.charge('bytes', uid, bytes)
    } catch (error) {
      this.#ledger.refund('keys', uid, keys)
      throw error
    }
    return debit
  }
}
