/** Calls that wait for their answer: each settles the promise that its caller was given. */

import type { Outcome } from '../channel/channel.ts'
import { asDeath, retold } from '../channel/death.ts'
import { failureError, faultOf } from '../channel/failure.ts'
import { Violation } from '../channel/message.ts'
import type { CallWaiter } from '../channel/pending-calls.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { beginWait, endWait, waitingBufferOf } from '../parcel/parcel-objects.ts'
import { failForCaller } from '../util/caller-stack.ts'
import { errorCode } from '../util/errors.ts'
import { type CallOptions, Deadline } from '../util/patience.ts'
import { withoutStack } from '../util/stack-traces.ts'
import type { LinkedProxy, ProxyLink, ResultReader } from './proxy-link.ts'
import type { WireParcels } from './wire-parcels.ts'

/** One call. */
export abstract class Pending<T> implements CallWaiter {
  id = 0
  /** What the caller is given. */
  readonly answer: Promise<T>
  protected readonly parcels: WireParcels
  readonly #link: ProxyLink
  /** Held so that it stays alive, and with it the channel, while its call is pending. */
  #proxy: LinkedProxy | null
  #state: 'pending' | 'settled' | 'given up' = 'pending'
  /** Ended when something has come of it. */
  #deadline: Deadline | null = null
  #resolve!: (result: T | Promise<never>) => void

  constructor(parcels: WireParcels, proxy: LinkedProxy) {
    this.parcels = parcels
    this.#link = proxy.link
    this.#proxy = proxy
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get isGivenUp(): boolean {
    return this.#state === 'given up'
  }

  /**
   * The answer. It fails when the time of the options is over, and a later answer is dropped.
   * @param onGivenUp called then
   */
  within(options: CallOptions, onGivenUp: () => void): Promise<T> {
    if (this.#state === 'pending') {
      this.#deadline = new Deadline(options, this.what, (reason) => {
        if (this.#giveUp(reason)) onGivenUp()
      })
    }
    return this.answer
  }

  /** @returns whether it had not come yet */
  #giveUp(reason: Error): boolean {
    if (this.#state !== 'pending') return false
    this.#state = 'given up'
    this.#proxy = null
    this.over()
    this.#resolve(failForCaller(reason))
    return true
  }

  settle(outcome: Outcome): void {
    if (this.#state === 'given up') this.#drop(outcome)
    else this.#settle(outcome)
  }

  #settle(outcome: Outcome): void {
    this.#state = 'settled'
    this.#deadline?.end()
    try {
      const error = outcome.status === 0 ? null : failureError(outcome)
      if (error !== null) throw error
      this.#resolve(outcome.status === 0 ? this.received(outcome) : this.unknown(outcome))
    } catch (error) {
      for (const fd of outcome.body.fds) fd.close()
      this.over()
      this.#resolve(failForCaller(error instanceof Violation ? this.#violation(error) : error))
    }
  }

  fail(reason: Error): void {
    if (this.#state === 'given up') return
    this.#state = 'settled'
    this.#deadline?.end()
    this.over()
    this.#resolve(failForCaller(withoutStack(() => retold(reason))))
  }

  /**
   * Called before it is sent.
   * @throws ERR_CLOSED if the reply parcel was recycled
   */
  check(): void {}

  /** It is on its way. */
  begin(): void {}

  /** Something has come of it, or nothing will. Again is harmless. */
  protected over(): void {}

  /** What was called, for people. */
  abstract get what(): string

  /** @throws Violation; what the reply says */
  protected abstract received(outcome: Outcome): T

  /**
   * The object does not know the code, or failed because of a bug.
   * @throws its error
   */
  protected abstract unknown(outcome: Outcome): T

  #drop({ status, body }: Outcome): void {
    try {
      if (status === 0) this.parcels.unpack(body).recycle()
    } catch (error) {
      for (const fd of body.fds) fd.close()
      if (error instanceof Violation) this.#link.close(error)
    }
  }

  #violation(reason: Violation): Error {
    this.#proxy?.link.close(reason)
    return withoutStack(() => asDeath(reason))
  }
}

/** Fills the caller's parcel, and tells whether the object knows the code. */
export class PendingReply extends Pending<boolean> {
  readonly #reply: Parcel | null
  #isWaiting = false

  /** @param reply to be filled; null: the reply is dropped */
  constructor(parcels: WireParcels, proxy: LinkedProxy, reply: Parcel | null) {
    super(parcels, proxy)
    this.#reply = reply
  }

  override check(): void {
    if (this.#reply !== null) waitingBufferOf(this.#reply)
  }

  override begin(): void {
    if (this.#reply === null) return
    beginWait(this.#reply)
    this.#isWaiting = true
  }

  protected override over(): void {
    if (this.#reply === null || !this.#isWaiting) return
    this.#isWaiting = false
    endWait(this.#reply)
  }

  get what(): string {
    return 'the call'
  }

  protected received({ body }: Outcome): boolean {
    if (this.#reply === null) this.parcels.unpack(body).recycle()
    else this.#fill(this.#reply, body)
    this.over()
    return true
  }

  protected unknown(): boolean {
    this.over()
    return false
  }

  #fill(reply: Parcel, body: Outcome['body']): void {
    try {
      this.parcels.unpackInto(reply, body)
    } catch (error) {
      // A caller that did not await has got the error already, when it read the reply.
      if (errorCode(error) === 'ERR_CLOSED') this.answer.catch(() => undefined)
      throw error
    }
  }
}

/** Reads the result out of the reply at once: there is a parcel only for as long as that takes. */
export class PendingResult<T> extends Pending<T> {
  readonly #reader: ResultReader<T>

  constructor(parcels: WireParcels, proxy: LinkedProxy, reader: ResultReader<T>) {
    super(parcels, proxy)
    this.#reader = reader
  }

  get what(): string {
    return this.#reader.what
  }

  protected received({ body }: Outcome): T {
    const reply = this.parcels.unpack(body)
    try {
      return this.#reader.read(reply)
    } finally {
      reply.recycle()
    }
  }

  protected unknown(outcome: Outcome): never {
    throw withoutStack(() => this.#reader.failed(faultOf(outcome)))
  }
}
