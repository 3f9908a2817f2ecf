/** Counts of things that users have open, by user and by channel; each within its limits, and charged before it exists. */
import { type Limit, limitError } from '../util/limit.ts'

/** Whose it is. */
export interface Holder {
  /** Null: a user without a share of his own. */
  readonly uid: number | null
  /** What ends with it: a channel, say. */
  readonly peer: object
}

/** Of one kind of thing. */
export interface TallyLimits {
  readonly total: Limit
  readonly ofUser?: Limit
  readonly ofPeer: Limit
}

export class Tally {
  readonly #limits: TallyLimits
  readonly #users = new Map<number, number>()
  readonly #peers = new Map<object, number>()
  #total = 0

  constructor(limits: TallyLimits) {
    this.#limits = limits
  }

  get total(): number {
    return this.#total
  }

  /** One more. @throws ERR_LIMIT */
  charge({ uid, peer }: Holder): void {
    const { total, ofUser, ofPeer } = this.#limits
    check(ofPeer, this.#peers.get(peer) ?? 0)
    if (ofUser !== undefined && uid !== null) check(ofUser, this.#users.get(uid) ?? 0)
    check(total, this.#total)
    this.#add(uid, peer, 1)
  }

  /** One less: of a holder that `charge` was called with. */
  refund({ uid, peer }: Holder): void {
    this.#add(uid, peer, -1)
  }

  #add(uid: number | null, peer: object, count: number): void {
    this.#total += count
    addTo(this.#peers, peer, count)
    if (uid !== null) addTo(this.#users, uid, count)
  }
}

function check(limit: Limit, used: number): void {
  if (used >= limit.limit) throw limitError(limit, used)
}

function addTo<K>(counts: Map<K, number>, key: K, count: number): void {
  const sum = (counts.get(key) ?? 0) + count
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}
