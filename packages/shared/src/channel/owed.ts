/**
 * What one side of a channel owes the peer: answers to its calls, and the return of references to its objects. If one
 * of these can neither be sent nor wait, the channel must end.
 */
import { KIND_FAILURE, KIND_RELEASE, KIND_REPLY } from './message.ts'
import type { Outbox, When } from './outbox.ts'
import type { Envelope, OutgoingBody } from './outgoing-body.ts'

/** Whose debts they are. */
export interface Debtor {
  readonly isEnded: boolean
  /** More calls have arrived together with those that were served, and are served next. */
  readonly hasMore: boolean
  /** See `OutboxOwner`. */
  onLost(cause: unknown): void
}

/** References to one object. */
export interface References {
  readonly object: number
  readonly count: number
}

export class Owed {
  readonly #owner: Debtor
  readonly #outbox: Outbox
  /** Calls that came in and have no answer yet. */
  #unanswered = 0

  constructor(owner: Debtor, outbox: Outbox) {
    this.#owner = owner
    this.#outbox = outbox
  }

  /** A call has come that wants an answer. */
  onCall(): void {
    this.#unanswered += 1
  }

  /** See `Channel.reply`. */
  reply(id: number, body: OutgoingBody): void {
    this.#answer({ kind: KIND_REPLY, id, object: 0, code: 0, oneway: false }, body)
  }

  /** See `Channel.fail`. */
  fail(id: number, status: number, body: OutgoingBody): void {
    this.#answer({ kind: KIND_FAILURE, id, object: 0, code: status, oneway: false }, body)
  }

  /** See `Channel.release`. */
  release(references: readonly References[]): void {
    if (this.#owner.isEnded) return
    try {
      this.#outbox.sendBare(references.map(releaseOf))
    } catch (cause) {
      this.#owner.onLost(cause)
    }
  }

  #answer(envelope: Envelope, body: OutgoingBody): void {
    if (envelope.id !== 0) this.#unanswered -= 1
    // The last answer that this side owes takes the ones before it along. Calls that came together are answered together.
    const isLast = this.#unanswered === 0 && !this.#owner.hasMore
    this.#send(envelope, body, isLast ? 'thisBatch' : 'thisTurn')
  }

  #send(envelope: Envelope, body: OutgoingBody, when: When): void {
    if (this.#owner.isEnded) return
    try {
      this.#outbox.makeRoomFor(body)
      this.#outbox.send(envelope, body, when)
    } catch (cause) {
      this.#owner.onLost(cause)
    }
  }
}

function releaseOf({ object, count }: References): Envelope {
  return { kind: KIND_RELEASE, id: 0, object, code: count, oneway: false }
}
