/**
 * A user of this thread's channels. Users take turns, not sockets. In each turn of the event loop a user is served for
 * a limited time. The rest waits: packets that were already received are kept by their channels, at most one batch of
 * the hub, and all others stay in the kernel. So a user who sends too much delays only itself.
 */
import { Hub, type HubGroup } from 'memfd-native'
import { beginTime } from '../util/packet-clock.ts'
import { TransientMap } from '../util/transient.ts'
import { type Share, shareOf } from './turn-limits.ts'
import { turns, type Waiter } from './turns.ts'

/** A channel with packets that were received and not served. */
export interface Keeper {
  /** Serves them: one packet, or a part of one. Never throws. @returns whether something is left */
  serveKept(): boolean
}

/** Those who have channels, or something that waits. */
const users = new TransientMap<number, User>()

/** Sockets of one user that are received in a turn while more of them wait: as many as make a batch. */
const ADMITTED = 64

/** In milliseconds: what takes less between two looks at the clock is not worth a look at each message. */
const QUICK_MS = 1

export class User implements Waiter {
  /** Of all sockets of the user. */
  readonly group: HubGroup = Hub.current().makeGroup()
  readonly #uid: number
  readonly #share: Share
  readonly #keepers: Keeper[] = []
  #channels = 0
  #turn = -1
  /** In this turn, in milliseconds and messages. */
  #spent = 0
  #served = 0
  /** Messages of which it is not known yet what they left to promises, and milliseconds that the last ones did, each. */
  #unaccounted = 0
  #deferredMs: number
  /** What was served between the last two looks at the clock took little. */
  #isQuick = false

  private constructor(uid: number) {
    this.#uid = uid
    this.#share = shareOf(uid)
    this.#deferredMs = this.#share.initialDeferredMs
  }

  /** The user of a new channel. */
  static join(uid: number): User {
    const user = users.get(uid) ?? new User(uid)
    users.set(uid, user)
    user.#channels += 1
    return user
  }

  /** The channel is over. */
  leave(keeper: Keeper): void {
    this.#channels -= 1
    const at = this.#keepers.indexOf(keeper)
    if (at >= 0) this.#keepers.splice(at, 1)
    if (!turns.isWaiting(this)) this.#forgetIfUnused()
  }

  /** Whether a packet, or an end, may be served now: not before what the user's channels keep. */
  mayBegin(): boolean {
    if (this.#keepers.length > 0) return false
    return this.#isQuick && turns.goOnWith(this) ? this.mayGoOn() : this.#mayServeNext()
  }

  /** Whether one more message may be, of the same packet or right behind it. */
  mayGoOn(): boolean {
    if (!this.#isQuick || (this.#served & this.#share.clockMask) === 0) return this.#mayServe()
    this.#count()
    return true
  }

  /** The channel keeps something from here on, until `serveKept` has served all of it. */
  keep(keeper: Keeper): void {
    this.#keepers.push(keeper)
    this.#stop()
  }

  /** Serves one packet of each channel in turn, then packets from the kernel. */
  serve(): boolean {
    while (this.#keepers.length > 0) {
      if (!this.#mayServeNext()) return true
      const keeper = this.#keepers.shift() as Keeper
      if (keeper.serveKept()) this.#keepers.push(keeper)
    }
    if (this.group.admit(ADMITTED) > 0) return true
    this.group.open()
    this.#forgetIfUnused()
    return false
  }

  charge(milliseconds: number): void {
    this.#isQuick = milliseconds < QUICK_MS
    this.#enterTurn()
    this.#spent += milliseconds
  }

  get count(): number {
    return this.#unaccounted
  }

  chargeDeferred(each: number): void {
    if (this.#unaccounted > 0) this.#deferredMs = (this.#deferredMs + each) / 2
    this.charge(each * this.#unaccounted)
  }

  forget(): void {
    this.#unaccounted = 0
  }

  /** For what does not share its time with what was served before. */
  #mayServeNext(): boolean {
    beginTime()
    return this.#mayServe()
  }

  #mayServe(): boolean {
    turns.mark(this)
    this.#enterTurn()
    if (this.#isOver()) {
      this.#stop()
      return false
    }
    this.#count()
    return true
  }

  #count(): void {
    this.#served += 1
    this.#unaccounted += 1
  }

  #stop(): void {
    this.group.close()
    turns.wait(this)
  }

  /** One message is served in each turn, whatever those of the last turn took. */
  #isOver(): boolean {
    const { messages, milliseconds } = this.#share
    if (this.#served === 0) return false
    return this.#served >= messages || this.#spent + this.#unaccounted * this.#deferredMs > milliseconds(turns.waiting)
  }

  #enterTurn(): void {
    if (this.#turn === turns.number) return
    this.#turn = turns.number
    this.#spent = 0
    this.#served = 0
  }

  #forgetIfUnused(): void {
    if (this.#channels > 0) return
    users.delete(this.#uid)
    this.group.release()
  }
}
