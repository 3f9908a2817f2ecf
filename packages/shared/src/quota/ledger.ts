/**
 * Who uses how much. Everything that a client makes is charged before it exists and refunded by the end of the same
 * thing, so a limit can never be passed, and a client that is gone owes nothing.
 */
import { IllegalStateError, LimitError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { ofOnePeer, ofOneUser, type Shares } from './shares.ts'

export interface LedgerOptions<R extends string> {
  /** Of each resource that there is. */
  readonly limits: Readonly<Record<R, Shares>>
  /** Has no share of its own, as root has none: they are bound by the totals only. */
  readonly ownUid: number
  /** Told after something was charged or refunded. */
  readonly onChange?: () => void
}

export class Ledger<R extends string> {
  /** May be exchanged at any time: what was charged already stays. */
  limits: Readonly<Record<R, Shares>>
  /** Neither he nor root has a share of his own. */
  readonly ownUid: number
  readonly #onChange: () => void
  /** How often something was charged or refunded. */
  changes = 0
  readonly #totals = new Map<R, number>()
  readonly #byUser = new Map<R, Map<number, number>>()

  constructor({ limits, ownUid, onChange = () => undefined }: LedgerOptions<R>) {
    this.limits = limits
    this.ownUid = ownUid
    this.#onChange = onChange
  }

  /** The account of one connection or channel. */
  open(uid: number): Account<R> {
    return new Account(this, uid)
  }

  /** Of every resource, all users together. */
  get totals(): Record<string, number> {
    return Object.fromEntries((Object.keys(this.limits) as R[]).map((resource) => [resource, this.used(resource)]))
  }

  used(resource: R): number {
    return this.#totals.get(resource) ?? 0
  }

  usedBy(resource: R, uid: number): number {
    return this.#byUser.get(resource)?.get(uid) ?? 0
  }

  /** For `Account` only. @throws ERR_LIMIT, and nothing is charged */
  charge(resource: R, uid: number, count: number): void {
    const { total, perUser } = this.limits[resource]
    check(resource, total, this.used(resource), count)
    if (uid !== this.ownUid && uid !== 0) check(ofOneUser(resource), perUser, this.usedBy(resource, uid), count)
    this.#add(resource, uid, count)
  }

  /** For `Account` only: what was charged to it stays charged to its user. @returns refunds it */
  hold(resource: R, uid: number, count: number): () => void {
    this.#add(resource, uid, count)
    return () => this.#add(resource, uid, -count)
  }

  /** For `Account` only. */
  refund(resource: R, uid: number, count: number): void {
    this.#add(resource, uid, -count)
  }

  #add(resource: R, uid: number, count: number): void {
    this.#totals.set(resource, this.used(resource) + count)
    const users = this.#byUser.get(resource) ?? new Map<number, number>()
    this.#byUser.set(resource, users)
    const left = (users.get(uid) ?? 0) + count
    if (left === 0) users.delete(uid)
    else users.set(uid, left)
    this.changes += 1
    this.#onChange()
  }
}

/** What one peer has been charged. The budget of its channel, where its resources are among these. */
export class Account<R extends string> {
  readonly uid: number
  readonly #ledger: Ledger<R>
  readonly #used = new Map<R, number>()
  #isClosed = false

  constructor(ledger: Ledger<R>, uid: number) {
    this.#ledger = ledger
    this.uid = uid
  }

  /**
   * All of `count`, or nothing.
   * @throws ERR_LIMIT; ERR_ILLEGAL_STATE the peer is gone, this is a call that it left behind. Then nothing is charged
   */
  charge(resource: R, count = 1): void {
    if (this.#isClosed) throw withoutStack(() => new IllegalStateError('the peer is gone'))
    const { perPeer = Number.POSITIVE_INFINITY } = this.#ledger.limits[resource]
    const used = this.#used.get(resource) ?? 0
    check(ofOnePeer(resource), perPeer, used, count)
    this.#ledger.charge(resource, this.uid, count)
    this.#used.set(resource, used + count)
  }

  /** @throws Error more than was charged: a bug of ours */
  refund(resource: R, count = 1): void {
    const left = (this.#used.get(resource) ?? 0) - count
    if (left < 0) throw new Error(`${resource}: refunded more than was charged`)
    if (left === 0) this.#used.delete(resource)
    else this.#used.set(resource, left)
    this.#ledger.refund(resource, this.uid, count)
  }

  /** Still to be paid by the user when this peer is gone. @returns refunds it */
  carryOver(resource: R, count: number): () => void {
    this.refund(resource, count)
    return this.#ledger.hold(resource, this.uid, count)
  }

  /** What was charged and not refunded. */
  get rest(): R[] {
    return [...this.#used.keys()]
  }

  /** The peer is gone. Refunds what was forgotten, and answers what that was: nothing, when all is right. */
  close(): R[] {
    const { rest } = this
    this.#isClosed = true
    for (const [resource, count] of [...this.#used]) this.refund(resource, count)
    return rest
  }
}

function check(resource: string, limit: number, used: number, count: number): void {
  if (used + count > limit) throw withoutStack(() => new LimitError(resource, limit, used))
}
