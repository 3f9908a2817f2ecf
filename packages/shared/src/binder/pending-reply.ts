/** A call that waits for its reply: fills the caller's parcel and settles his promise. */
import type { Outcome } from '../channel/channel.ts'
import { failureError } from '../channel/failure.ts'
import { Violation } from '../channel/message.ts'
import type { CallWaiter } from '../channel/pending-calls.ts'
import { DeadObjectError } from '../errors.ts'
import type { Parcel } from '../parcel/parcel.ts'
import type { BinderProxy } from './binder-proxy.ts'
import type { WireParcels } from './wire-parcels.ts'

export interface PendingReplyOptions {
  readonly parcels: WireParcels
  /** Held so that it stays alive, and with it the channel, while its call is pending. */
  readonly proxy: BinderProxy
  /** To be filled; null: the reply is dropped. */
  readonly reply: Parcel | null
  /** The peer broke the protocol. */
  readonly onViolation: (reason: Violation) => void
}

export class PendingReply implements CallWaiter {
  /** What `transact` answers. */
  readonly answer: Promise<boolean>
  readonly #options: PendingReplyOptions
  #resolve!: (isKnown: boolean) => void
  #reject!: (reason: unknown) => void

  constructor(options: PendingReplyOptions) {
    this.#options = options
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  settle(outcome: Outcome): void {
    try {
      this.#resolve(this.#receive(outcome))
    } catch (error) {
      for (const fd of outcome.body.fds) fd.close()
      this.#reject(error instanceof Violation ? this.#violation(error) : error)
    }
  }

  fail(reason: Error): void {
    this.#reject(reason)
  }

  /** @returns false: the object does not know the code */
  #receive(outcome: Outcome): boolean {
    const { parcels, reply } = this.#options
    if (outcome.status !== 0) {
      const error = failureError(outcome)
      if (error !== null) throw error
      return false
    }
    if (reply === null) parcels.unpack(outcome.body).recycle()
    else parcels.unpackInto(reply, outcome.body)
    return true
  }

  #violation(reason: Violation): Error {
    this.#options.onViolation(reason)
    return new DeadObjectError('the other side broke the protocol', { cause: reason })
  }
}
