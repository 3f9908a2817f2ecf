/**
 * Who uses how much. Everything that a client makes is charged before it exists and refunded by the end of the same
 * thing, so a limit can never be passed, and a client that is gone owes nothing.
 */
import { LimitError } from '@memsvc/shared'
import { LIMITS, type Limit, type Resource } from './limits.ts'

export class Ledger {
  readonly #ownUid: number
  readonly #onChange: () => void
  readonly #totals = new Map<Resource, number>()
  readonly #byUser = new Map<Resource, Map<number, number>>()

  /**
   * @param ownUid has no share of its own, as root has none: they are bound by the totals only
   * @param onChange told after something was charged or refunded
   */
  constructor(ownUid: number, onChange: () => void = () => undefined) {
    this.#ownUid = ownUid
    this.#onChange = onChange
  }

  /** The account of one connection or channel. */
  open(uid: number): Account {
    return new Account(this, uid)
  }

  used(resource: Resource): number {
    return this.#totals.get(resource) ?? 0
  }

  usedBy(resource: Resource, uid: number): number {
    return this.#byUser.get(resource)?.get(uid) ?? 0
  }

  /** For `Account` only. @throws ERR_LIMIT, and nothing is charged */
  charge(resource: Resource, uid: number): void {
    const { total, perUser }: Limit = LIMITS[resource]
    check(resource, total, this.used(resource))
    if (uid !== this.#ownUid && uid !== 0) check(`${resource} of one user`, perUser, this.usedBy(resource, uid))
    this.#add(resource, uid, 1)
  }

  /** For `Account` only. */
  refund(resource: Resource, uid: number): void {
    this.#add(resource, uid, -1)
  }

  #add(resource: Resource, uid: number, count: number): void {
    this.#totals.set(resource, this.used(resource) + count)
    const users = this.#byUser.get(resource) ?? new Map<number, number>()
    this.#byUser.set(resource, users)
    const left = (users.get(uid) ?? 0) + count
    if (left === 0) users.delete(uid)
    else users.set(uid, left)
    this.#onChange()
  }
}

/** What one peer has been charged. Closing it must find nothing left: a rest is a bug of ours, and is refunded loudly. */
export class Account {
  readonly uid: number
  readonly #ledger: Ledger
  readonly #used = new Map<Resource, number>()

  constructor(ledger: Ledger, uid: number) {
    this.#ledger = ledger
    this.uid = uid
  }

  /** @throws ERR_LIMIT, and nothing is charged */
  charge(resource: Resource): void {
    const used = this.#used.get(resource) ?? 0
    check(`${resource} of one peer`, LIMITS[resource].perPeer, used)
    this.#ledger.charge(resource, this.uid)
    this.#used.set(resource, used + 1)
  }

  refund(resource: Resource): void {
    const used = this.#used.get(resource) ?? 0
    if (used === 0) throw new Error(`${resource}: refunded more than was charged`)
    this.#used.set(resource, used - 1)
    this.#ledger.refund(resource, this.uid)
  }

  /** The resources that were charged and not refunded: none, when all is right. */
  get rest(): Resource[] {
    return [...this.#used].filter(([, count]) => count > 0).map(([resource]) => resource)
  }
}

function check(resource: string, limit: number, used: number): void {
  if (used >= limit) throw new LimitError(resource, limit, used)
}
