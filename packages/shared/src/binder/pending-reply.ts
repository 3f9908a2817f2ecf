/** Calls that wait for their answer: each settles the promise that its caller was given. */
import type { Outcome } from '../channel/channel.ts'
import { failureError } from '../channel/failure.ts'
import { Violation } from '../channel/message.ts'
import type { CallWaiter } from '../channel/pending-calls.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { DeadObjectError } from '../util/errors.ts'
import type { LinkedProxy, ResultReader } from './proxy-link.ts'
import type { WireParcels } from './wire-parcels.ts'

abstract class Pending<T> implements CallWaiter {
  id = 0
  /** What the caller is given. */
  readonly answer: Promise<T>
  protected readonly parcels: WireParcels
  /** Held so that it stays alive, and with it the channel, while its call is pending. */
  readonly #proxy: LinkedProxy
  #resolve!: (result: T) => void
  #reject!: (reason: unknown) => void

  constructor(parcels: WireParcels, proxy: LinkedProxy) {
    this.parcels = parcels
    this.#proxy = proxy
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  settle(outcome: Outcome): void {
    try {
      const error = outcome.status === 0 ? null : failureError(outcome)
      if (error !== null) throw error
      this.#resolve(outcome.status === 0 ? this.received(outcome) : this.unknown())
    } catch (error) {
      for (const fd of outcome.body.fds) fd.close()
      this.#reject(error instanceof Violation ? this.#violation(error) : error)
    }
  }

  fail(reason: Error): void {
    this.#reject(reason)
  }

  /** @throws Violation; what the reply says */
  protected abstract received(outcome: Outcome): T

  /** The object does not know the code. */
  protected abstract unknown(): T

  #violation(reason: Violation): Error {
    this.#proxy.link.close(reason)
    return new DeadObjectError('the other side broke the protocol', { cause: reason })
  }
}

/** Fills the caller's parcel, and tells whether the object knows the code. */
export class PendingReply extends Pending<boolean> {
  readonly #reply: Parcel | null

  /** @param reply to be filled; null: the reply is dropped */
  constructor(parcels: WireParcels, proxy: LinkedProxy, reply: Parcel | null) {
    super(parcels, proxy)
    this.#reply = reply
  }

  protected received({ body }: Outcome): boolean {
    if (this.#reply === null) this.parcels.unpack(body).recycle()
    else this.parcels.unpackInto(this.#reply, body)
    return true
  }

  protected unknown(): boolean {
    return false
  }
}

/** Reads the result out of the reply at once: there is a parcel only for as long as that takes. */
export class PendingResult<T> extends Pending<T> {
  readonly #reader: ResultReader<T>

  constructor(parcels: WireParcels, proxy: LinkedProxy, reader: ResultReader<T>) {
    super(parcels, proxy)
    this.#reader = reader
  }

  protected received({ body }: Outcome): T {
    const reply = this.parcels.unpack(body)
    try {
      return this.#reader.read(reply)
    } finally {
      reply.recycle()
    }
  }

  protected unknown(): never {
    throw this.#reader.unknown()
  }
}
