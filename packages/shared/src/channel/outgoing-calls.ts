/** The calls that one channel sends: pending, abandoned, or settled, each once. */
import { type Header, KIND_REPLY, KIND_TRANSACTION, Violation } from './message.ts'
import type { Outbox } from './outbox.ts'
import type { OutgoingBody } from './outgoing-body.ts'
import type { IncomingBody } from './packet-reader.ts'
import { type CallWaiter, PendingCalls } from './pending-calls.ts'

export class OutgoingCalls {
  readonly #outbox: Outbox
  readonly #pending = new PendingCalls()

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** Those that have no answer yet. */
  get pending(): number {
    return this.#pending.size
  }

  /** The pending calls for which somebody waits. */
  get awaited(): number {
    return this.#pending.awaited
  }

  /**
   * See `Channel.call`.
   * @throws LimitError, DeadObjectError; then the waiter is not called
   */
  call(object: number, code: number, body: OutgoingBody, waiter: CallWaiter): void {
    this.#outbox.makeRoomFor(body)
    const when = this.#pending.areConcurrent ? 'thisTurn' : 'now'
    const id = this.#pending.add(waiter)
    try {
      this.#outbox.send({ kind: KIND_TRANSACTION, id, object, code, oneway: false }, body, when)
    } catch (error) {
      this.#pending.remove(id)
      throw error
    }
  }

  /** See `Channel.callOneway`. @throws LimitError, DeadObjectError */
  callOneway(object: number, code: number, body: OutgoingBody): void {
    this.#outbox.makeRoomFor(body)
    const envelope = { kind: KIND_TRANSACTION, id: 0, object, code, oneway: true }
    this.#outbox.send(envelope, body, this.#outbox.whenOthersDo)
  }

  /** Nobody waits for a pending call any more. */
  giveUp(): void {
    this.#pending.giveUp()
  }

  /** An answer has come. @throws Violation to no call that is pending */
  settle(header: Header, body: IncomingBody): void {
    const outcome = { status: header.kind === KIND_REPLY ? 0 : header.code, body }
    if (!this.#pending.settle(header.id, outcome)) throw new Violation(`an answer to call ${header.id}, which is none`)
  }

  /** No answers will come any more. */
  failAll(reason: Error): void {
    this.#pending.failAll(reason)
  }
}
