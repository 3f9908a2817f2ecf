/**
 * Counts who uses how much. Everything that a client makes is charged before it exists, and refunded when it ends. So a
 * limit can never be exceeded, and a client that is gone has nothing charged.
 */
import { IllegalStateError, LimitError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { TransientMap, TransientSet } from '../util/transient.ts'
import { ofOnePeer, ofOneUser, type Shares } from './shares.ts'

export interface LedgerOptions<R extends string> {
  /** Of each resource that there is. */
  readonly limits: Readonly<Record<R, Shares>>
  /** For this user and root only the totals apply. */
  readonly ownUid: number
  /** Told after something was charged or refunded. */
  readonly onChange?: () => void
}

export class Ledger<R extends string> {
  /** Can be replaced at any time; existing charges stay. */
  limits: Readonly<Record<R, Shares>>
  /** For this user and root only the totals apply. */
  readonly ownUid: number
  readonly #onChange: () => void
  /** How often something was charged or refunded. */
  changes = 0
  readonly #totals = new Tally<R>()
  readonly #users = new TransientMap<number, User<R>>()
  readonly #accounts = new TransientSet<Account<R>>()

  constructor({ limits, ownUid, onChange = () => undefined }: LedgerOptions<R>) {
    this.limits = limits
    this.ownUid = ownUid
    this.#onChange = onChange
  }

  /** The account of one connection or channel. */
  open(uid: number): Account<R> {
    this.#userOf(uid).accounts += 1
    const account = new Account(this, uid)
    this.#accounts.add(account)
    return account
  }

  /** For `Account` only: one of this user is closed. */
  close(account: Account<R>): void {
    const { uid } = account
    this.#accounts.delete(account)
    this.#userOf(uid).accounts -= 1
    this.#forgetIfUnused(uid)
  }

  /** How many users are known: those who have accounts, or still owe something. */
  get users(): number {
    return this.#users.size
  }

  /** What each user has of each resource, for those who have something. */
  get usage(): { uid: number; used: Record<string, number> }[] {
    return [...this.#users].map(([uid, { used }]) => ({ uid, used: used.counts }))
  }

  /** Of all connections and channels. */
  get accounts(): Iterable<Account<R>> {
    return this.#accounts
  }

  /** Of every resource, all users together. */
  get totals(): Record<string, number> {
    return Object.fromEntries((Object.keys(this.limits) as R[]).map((resource) => [resource, this.used(resource)]))
  }

  used(resource: R): number {
    return this.#totals.get(resource)
  }

  usedBy(resource: R, uid: number): number {
    return this.#users.get(uid)?.used.get(resource) ?? 0
  }

  /** For `Account` only. Nothing more is within every limit, also one that was lowered. @throws ERR_LIMIT, and nothing is charged */
  charge(resource: R, uid: number, count: number): void {
    if (count === 0) return
    const { total, perUser } = this.limits[resource]
    const used = this.used(resource)
    if (used + count > total) throw over(resource, total, used)
    if (uid !== this.ownUid && uid !== 0) this.#checkUser(resource, uid, { perUser, count })
    this.#add(resource, uid, count)
  }

  /**
   * Only for `Account`: keeps a charge for its user.
   * @returns a function that refunds it
   */
  hold(resource: R, uid: number, count: number): () => void {
    this.#add(resource, uid, count)
    return () => {
      this.#add(resource, uid, -count)
      this.#forgetIfUnused(uid)
    }
  }

  /** For `Account` only. */
  refund(resource: R, uid: number, count: number): void {
    this.#add(resource, uid, -count)
  }

  #checkUser(resource: R, uid: number, { perUser, count }: { perUser: number; count: number }): void {
    const used = this.usedBy(resource, uid)
    if (used + count > perUser) throw over(ofOneUser(resource), perUser, used)
  }

  #add(resource: R, uid: number, count: number): void {
    this.#totals.add(resource, count)
    this.#userOf(uid).used.add(resource, count)
    this.changes += 1
    this.#onChange()
  }

  #userOf(uid: number): User<R> {
    let user = this.#users.get(uid)
    if (user === undefined) {
      user = { accounts: 0, used: new Tally() }
      this.#users.set(uid, user)
    }
    return user
  }

  #forgetIfUnused(uid: number): void {
    const user = this.#userOf(uid)
    if (user.accounts === 0 && user.used.isEmpty) this.#users.delete(uid)
  }
}

/** A user with accounts, or with charges of closed ones. */
interface User<R extends string> {
  accounts: number
  readonly used: Tally<R>
}

/**
 * How much of each resource. A count of 0 stays: most calls charge and refund something, and a Map whose entries come and
 * go leaves garbage that lasts until a major collection.
 */
class Tally<R extends string> {
  readonly #counts = new Map<R, number>()
  /** Resources of which there is something. */
  #charged = 0

  get isEmpty(): boolean {
    return this.#charged === 0
  }

  get(resource: R): number {
    return this.#counts.get(resource) ?? 0
  }

  add(resource: R, count: number): void {
    const before = this.get(resource)
    const after = before + count
    this.#counts.set(resource, after)
    this.#charged += Number(after !== 0) - Number(before !== 0)
  }

  /** Of those of which there is something. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].filter(([, count]) => count !== 0))
  }

  /** Those of which there is something. */
  get charged(): R[] {
    return [...this.#counts].filter(([, count]) => count !== 0).map(([resource]) => resource)
  }
}

/** One connection or channel, as its account has it. */
export interface AccountPeer {
  /** pid 0: it has not said yet. */
  readonly caller: { readonly pid: number }
  /** Bytes that it has not read and the kernel did not take. */
  readonly queuedBytes: number
}

/** The charges of one peer. It is the budget of the peer's channel. */
export class Account<R extends string> {
  readonly uid: number
  /** Who it is, once that is known: for people. */
  peer: AccountPeer | null = null
  readonly #ledger: Ledger<R>
  readonly #used = new Tally<R>()
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
    const used = this.#used.get(resource)
    if (used + count > perPeer) throw over(ofOnePeer(resource), perPeer, used)
    this.#ledger.charge(resource, this.uid, count)
    this.#used.add(resource, count)
  }

  /** @throws Error if it is more than was charged, which is a bug in memsvc */
  refund(resource: R, count = 1): void {
    if (this.#used.get(resource) < count) throw new Error(`${resource}: refunded more than was charged`)
    this.#used.add(resource, -count)
    this.#ledger.refund(resource, this.uid, count)
  }

  /** Still to be paid by the user when this peer is gone. @returns refunds it */
  carryOver(resource: R, count: number): () => void {
    this.refund(resource, count)
    return this.#ledger.hold(resource, this.uid, count)
  }

  /** Of each resource, where it is something. */
  get used(): Record<string, number> {
    return this.#used.counts
  }

  /** What was charged and not refunded. */
  get rest(): R[] {
    return this.#used.isEmpty ? [] : this.#used.charged
  }

  /**
   * The peer is gone. Refunds what was not refunded.
   * @returns what that was; nothing if all is right
   */
  close(): R[] {
    const { rest } = this
    for (const resource of rest) this.refund(resource, this.#used.get(resource))
    if (!this.#isClosed) this.#ledger.close(this)
    this.#isClosed = true
    return rest
  }
}

function over(resource: string, limit: number, used: number): LimitError {
  return withoutStack(() => new LimitError(resource, limit, used))
}
