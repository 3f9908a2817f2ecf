/**
 * Serves the calls that come in on one channel, each with its caller's identity: two-way calls at once, oneway calls to
 * one object one after the other. What the unfinished ones hold is bounded; beyond it calls are refused.
 */
import type { Channel, IncomingCall } from '../channel/channel.ts'
import { failureBody, faultBody } from '../channel/failure.ts'
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
import { acceptsFileDescriptors } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { isException } from '../parcel/parcel-exceptions.ts'
import { show } from '../util/check.ts'
import { counters, countRefusal } from '../util/counters.ts'
import {
  errorCode,
  LimitError,
  ServiceFailureError,
  TransactionTooLargeError,
  UnsupportedOperationError,
} from '../util/errors.ts'
import { type Limit, limitError } from '../util/limit.ts'
import { reportCallbackError } from '../util/report.ts'
import { withoutStack } from '../util/stack-traces.ts'
import type { Binder } from './binder.ts'
import type { Caller } from './calling-identity.ts'
import { readsInPlace } from './in-place.ts'
import { OnewayCalls } from './oneway-calls.ts'
import type { OwnObjects } from './own-objects.ts'
import { type RunningCall, serve } from './running-call.ts'
import type { WireParcels } from './wire-parcels.ts'

export class IncomingCalls {
  readonly #channel: Channel
  readonly #own: OwnObjects
  readonly #parcels: WireParcels
  #oneway: OnewayCalls | null = null
  #twoWayCount = 0
  #heldBytes = 0
  #heldFds = 0

  constructor(channel: Channel, own: OwnObjects, parcels: WireParcels) {
    this.#channel = channel
    this.#own = own
    this.#parcels = parcels
  }

  /**
   * Serves a call or refuses it, and takes over its body.
   * @throws Violation if its contents break the protocol, or if a oneway call is over a limit, because nobody waits for
   *   an answer
   */
  accept(call: IncomingCall, caller: Caller): void {
    if (call.id === 0) counters.onewayCalls += 1
    else counters.calls += 1
    const binder = this.#own.get(call.object)
    if (binder === undefined) {
      this.#refuse(call, STATUS_UNKNOWN_OBJECT, unknownObject(call.object))
    } else if (call.body.fds.length > 0 && !binder[acceptsFileDescriptors]) {
      this.#refuse(call, STATUS_DESCRIPTORS_REFUSED, failureBody('this object accepts no descriptors in requests'))
    } else {
      const limit = this.#reachedLimit(call)
      if (limit === null) this.#start(binder, call, caller)
      else if (call.id === 0) throw new Violation(limit.message)
      else this.#refuse(call, STATUS_LIMIT, failureBody(limit.message, limit))
    }
  }

  #reachedLimit({ id, body }: IncomingCall): LimitError | null {
    const { onewayBacklog, pendingCalls, heldBytes, heldDescriptors } = CHANNEL_LIMITS
    const oneway = id === 0 ? (this.#oneway?.count ?? 0) : 0
    if (oneway >= onewayBacklog.limit) return refusal(onewayBacklog, oneway)
    if (id !== 0 && this.#twoWayCount >= pendingCalls.limit) return refusal(pendingCalls, this.#twoWayCount)
    const bytes = this.#heldBytes + body.size
    if (bytes > heldBytes.limit) return refusal(heldBytes, bytes)
    const fds = this.#heldFds + body.fds.length
    if (fds > heldDescriptors.limit && !this.#channel.held.isPaidFor) return refusal(heldDescriptors, fds)
    return this.#hold(body) ?? this.#admit(body)
  }

  #admit(body: IncomingCall['body']): LimitError | null {
    const limit = this.#parcels.admit(body)
    if (limit !== null) this.#letGo(body.size, body.fds.length)
    return limit
  }

  /** Until `#letGo`. */
  #hold({ size, fds }: IncomingCall['body']): LimitError | null {
    const { held } = this.#channel
    try {
      held.addDescriptors(fds.length)
      this.#addBytes(size, fds.length)
      return null
    } catch (error) {
      if (error instanceof LimitError) return error
      throw error
    }
  }

  #addBytes(size: number, fds: number): void {
    try {
      this.#channel.held.add(size)
      this.#heldBytes += size
      this.#heldFds += fds
    } catch (error) {
      this.#channel.held.removeDescriptors(fds)
      throw error
    }
  }

  #refuse(call: IncomingCall, status: number, body: OutgoingBody): void {
    this.#parcels.refuse(call.body)
    countRefusal(CODE_OF_STATUS[status])
    if (call.id !== 0) this.#channel.fail(call.id, status, body)
  }

  #start(binder: Binder, { id, object, code, body }: IncomingCall, caller: Caller): void {
    const context = this.#own.contextOf(object)
    const data = this.#parcels.unpackAdmitted(
      this.#isReadInPlace(binder, id, code) ? { ...body, isBorrowed: false } : body,
    )
    if (id === 0) {
      const call = { id, code, context, size: body.size, fds: body.fds.length, data, reply: Parcel.obtain() }
      this.#oneway ??= new OnewayCalls((over) => this.#recycle(over))
      this.#oneway.start(binder, call, { pid: 0, uid: caller.uid })
    } else {
      const reply = Parcel.obtain(this.#parcels.peer)
      this.#serve(binder, { id, code, context, size: body.size, fds: body.fds.length, data, reply }, caller)
    }
  }

  /** Not what waits for its turn behind others. */
  #isReadInPlace(binder: Binder, id: number, code: number): boolean {
    return binder[readsInPlace](code) && (id !== 0 || this.#oneway === null || this.#oneway.count === 0)
  }

  /** A call that is served at once is answered at once, and no promise is made for it. */
  #serve(binder: Binder, call: RunningCall, caller: Caller): void {
    this.#twoWayCount += 1
    try {
      const isKnown = serve(binder, call, caller)
      if (typeof isKnown === 'boolean') this.#finish(call, isKnown)
      else void this.#finishLater(call, isKnown)
    } catch (error) {
      this.#finishWithError(call, error)
    }
  }

  async #finishLater(call: RunningCall, answer: Promise<boolean>): Promise<void> {
    try {
      this.#finish(call, await answer)
    } catch (error) {
      this.#finishWithError(call, error)
    }
  }

  #finish(call: RunningCall, isKnown: boolean): void {
    if (isKnown) this.#reply(call.id, call.reply)
    else this.#failUnknown(call.id, call.code)
    this.#twoWayCount -= 1
    this.#recycle(call)
  }

  #finishWithError(call: RunningCall, error: unknown): void {
    countRefusal(errorCode(error))
    this.#twoWayCount -= 1
    this.#recycle(call)
    this.#replyError(call.id, error)
  }

  #letGo(bytes: number, fds: number): void {
    this.#heldBytes -= bytes
    this.#heldFds -= fds
    this.#channel.held.remove(bytes)
    this.#channel.held.removeDescriptors(fds)
  }

  #recycle({ size, fds, data, reply }: RunningCall): void {
    this.#letGo(size, fds)
    data.recycle()
    reply.recycle()
  }

  #reply(id: number, reply: Parcel): void {
    if (!this.#channel.isEnded) this.#channel.reply(id, this.#pack(reply))
  }

  /** If a reply cannot be sent, this is not the caller's fault. */
  #pack(reply: Parcel): OutgoingBody {
    try {
      return this.#parcels.pack(reply)
    } catch (cause) {
      // The caller learns that it cannot receive descriptors, or a proxy of another channel.
      if (!isException(cause) || cause instanceof UnsupportedOperationError) throw cause
      throw new ServiceFailureError(`the reply cannot be sent: ${messageOf(cause)}`, { cause })
    }
  }

  /** An error with a number travels in the reply; the others have a status, or are a fault of the service's. */
  #replyError(id: number, error: unknown): void {
    const reply = Parcel.obtain()
    try {
      if (error instanceof TransactionTooLargeError) {
        this.#channel.fail(id, STATUS_TOO_LARGE, failureBody(error.message))
      } else if (error instanceof LimitError) {
        this.#channel.fail(id, STATUS_LIMIT, failureBody(error.message, error))
      } else {
        if (!isException(error)) throw error
        reply.writeException(error)
        this.#reply(id, reply)
      }
    } catch (unsendable) {
      if (unsendable instanceof TransactionTooLargeError) this.#replyError(id, unsendable)
      else {
        reportCallbackError('handling a call', error)
        this.#channel.fail(id, STATUS_UNKNOWN_TRANSACTION, faultBody(messageOf(error)))
      }
    } finally {
      reply.recycle()
    }
  }

  #failUnknown(id: number, code: number): void {
    this.#channel.fail(id, STATUS_UNKNOWN_TRANSACTION, failureBody(`this object has no method with code ${code}`))
  }
}

/** A function of its own: inside its caller, V8 converts the number to a string for each call. */
function unknownObject(number: number): OutgoingBody {
  return failureBody(`there is no object ${number}`)
}

/** What the caller's error says; for the counters. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  [STATUS_UNKNOWN_OBJECT]: 'ERR_UNKNOWN_TRANSACTION',
  [STATUS_DESCRIPTORS_REFUSED]: 'ERR_UNSUPPORTED_OPERATION',
  [STATUS_LIMIT]: 'ERR_LIMIT',
}

/** Of whatever was thrown. */
function messageOf(error: unknown): string {
  const said = typeof error === 'object' && error !== null && 'message' in error ? error.message : error
  return typeof said === 'string' && said !== '' ? said : show(error)
}

/** The peer has reached a limit and gets an error, so nobody here needs a stack. */
function refusal(limit: Limit, used: number): LimitError {
  return withoutStack(() => limitError(limit, used))
}
