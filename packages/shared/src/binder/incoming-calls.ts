/**
 * Serves the calls that come in on one channel, each with its caller's identity: two-way calls at once, oneway calls to
 * one object one after the other. What the unfinished ones hold is bounded; beyond it calls are refused.
 */
import type { Channel, IncomingCall } from '../channel/channel.ts'
import { failureBody } from '../channel/failure.ts'
import { CHANNEL_LIMITS } from '../channel/limits.ts'
import {
  STATUS_DESCRIPTORS_REFUSED,
  STATUS_LIMIT,
  STATUS_TOO_LARGE,
  STATUS_UNKNOWN_OBJECT,
  STATUS_UNKNOWN_TRANSACTION,
  Violation,
} from '../channel/message.ts'
import type { OutgoingBody } from '../channel/outgoing-body.ts'
import { errorCode, LimitError, TransactionTooLargeError } from '../errors.ts'
import { acceptsFileDescriptors } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { limitError } from '../util/limit.ts'
import { reportCallbackError } from '../util/report.ts'
import type { Binder } from './binder.ts'
import { type Caller, runAsCaller } from './calling-identity.ts'
import { OnewayQueue } from './oneway-queue.ts'
import { FLAG_ONEWAY, PING_TRANSACTION } from './transaction-codes.ts'
import type { WireParcels } from './wire-parcels.ts'

export class IncomingCalls {
  readonly #channel: Channel
  readonly #parcels: WireParcels
  /** Of the objects that have oneway calls under way. */
  readonly #oneway = new Map<Binder, OnewayQueue>()
  #twoWayCount = 0
  #onewayCount = 0
  #heldBytes = 0

  constructor(channel: Channel, parcels: WireParcels) {
    this.#channel = channel
    this.#parcels = parcels
  }

  /**
   * Serves a call, or refuses it. Its body is taken over.
   * @throws Violation what it holds is not as it should be, or a oneway call is beyond a limit: nobody waits to be told
   */
  accept(call: IncomingCall, caller: Caller): void {
    const binder = this.#parcels.own(call.object)
    if (binder === undefined) {
      this.#refuse(call, STATUS_UNKNOWN_OBJECT, failureBody(`there is no object ${call.object}`))
    } else if (call.body.fds.length > 0 && !binder[acceptsFileDescriptors]) {
      this.#refuse(call, STATUS_DESCRIPTORS_REFUSED, failureBody('this object takes no descriptors in requests'))
    } else {
      const limit = this.#reachedLimit(call)
      if (limit === null) this.#start(binder, call, caller)
      else if (call.id === 0) throw new Violation(limit.message)
      else this.#refuse(call, STATUS_LIMIT, failureBody(limit.message, limit))
    }
  }

  #reachedLimit({ id, body }: IncomingCall): LimitError | null {
    const { onewayBacklog, pendingCalls, heldBytes } = CHANNEL_LIMITS
    if (id === 0 && this.#onewayCount >= onewayBacklog.limit) return limitError(onewayBacklog, this.#onewayCount)
    if (id !== 0 && this.#twoWayCount >= pendingCalls.limit) return limitError(pendingCalls, this.#twoWayCount)
    const bytes = this.#heldBytes + body.data.length
    if (bytes > heldBytes.limit) return limitError(heldBytes, bytes)
    return this.#parcels.checkRoom(body)
  }

  #refuse(call: IncomingCall, status: number, body: OutgoingBody): void {
    this.#parcels.refuse(call.body)
    if (call.id !== 0) this.#channel.fail(call.id, status, body)
  }

  #start(binder: Binder, call: IncomingCall, caller: Caller): void {
    const data = this.#parcels.unpack(call.body)
    this.#heldBytes += call.body.data.length
    if (call.id === 0) this.#queueOneway(binder, call, data, { pid: 0, uid: caller.uid })
    else void this.#serve(binder, call, data, caller)
  }

  async #serve(binder: Binder, call: IncomingCall, data: Parcel, caller: Caller): Promise<void> {
    this.#twoWayCount += 1
    const reply = Parcel.obtain(this.#parcels.peer)
    try {
      const isKnown = await runAsCaller(caller, () => dispatch(binder, call.code, data, reply, 0))
      if (isKnown) this.#reply(call.id, reply)
      else this.#failUnknown(call.id, `code ${call.code} is not known`)
    } catch (error) {
      this.#replyError(call.id, error)
    } finally {
      this.#twoWayCount -= 1
      this.#recycle(call, data, reply)
    }
  }

  #queueOneway(binder: Binder, call: IncomingCall, data: Parcel, caller: Caller): void {
    const queue = this.#oneway.get(binder) ?? new OnewayQueue(() => this.#oneway.delete(binder))
    this.#oneway.set(binder, queue)
    this.#onewayCount += 1
    queue.push(() => this.#serveOneway(binder, call, data, caller))
  }

  async #serveOneway(binder: Binder, call: IncomingCall, data: Parcel, caller: Caller): Promise<void> {
    const reply = Parcel.obtain()
    try {
      await runAsCaller(caller, () => dispatch(binder, call.code, data, reply, FLAG_ONEWAY))
    } catch (error) {
      reportCallbackError(`a oneway call with code ${call.code}`, error)
    } finally {
      this.#onewayCount -= 1
      this.#recycle(call, data, reply)
    }
  }

  #recycle(call: IncomingCall, data: Parcel, reply: Parcel): void {
    this.#heldBytes -= call.body.data.length
    data.recycle()
    reply.recycle()
  }

  #reply(id: number, reply: Parcel): void {
    if (!this.#channel.isEnded) this.#channel.reply(id, this.#parcels.pack(reply))
  }

  /** An error with a number travels in the reply; the others have a status, or are an unknown transaction. */
  #replyError(id: number, error: unknown): void {
    const reply = Parcel.obtain()
    try {
      if (error instanceof TransactionTooLargeError) {
        this.#channel.fail(id, STATUS_TOO_LARGE, failureBody(error.message))
      } else if (error instanceof LimitError) {
        this.#channel.fail(id, STATUS_LIMIT, failureBody(error.message, error))
      } else {
        reply.writeException(error)
        this.#reply(id, reply)
      }
    } catch (unsendable) {
      if (unsendable instanceof TransactionTooLargeError) this.#replyError(id, unsendable)
      else {
        reportCallbackError('a call', error)
        this.#failUnknown(id, `an error without a number: ${errorCode(error)}`)
      }
    } finally {
      reply.recycle()
    }
  }

  #failUnknown(id: number, message: string): void {
    this.#channel.fail(id, STATUS_UNKNOWN_TRANSACTION, failureBody(message))
  }
}

function dispatch(
  binder: Binder,
  code: number,
  data: Parcel,
  reply: Parcel,
  flags: number,
): boolean | Promise<boolean> {
  return code === PING_TRANSACTION ? true : binder.onTransact(code, data, reply, flags)
}
