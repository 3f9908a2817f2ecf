/** Calls that were sent and have no answer yet, by id. */
import { limitError } from '../util/limit.ts'
import type { Outcome } from './channel-handler.ts'
import { CHANNEL_LIMITS } from './limits.ts'

/** Who waits for the outcome of one call. Exactly one of the two is called, once. */
export interface CallWaiter {
  /** The outcome's bytes may be borrowed: copy them before returning. Its descriptors belong to the waiter. */
  settle(outcome: Outcome): void
  /** There will be no answer: the channel has ended. */
  fail(reason: Error): void
}

export class PendingCalls {
  readonly #calls = new Map<number, CallWaiter>()
  #lastId = 0

  get size(): number {
    return this.#calls.size
  }

  /** @returns the id of the new call. @throws LimitError */
  add(waiter: CallWaiter): number {
    const { pendingCalls } = CHANNEL_LIMITS
    if (this.#calls.size >= pendingCalls.limit) throw limitError(pendingCalls, this.#calls.size)
    const id = this.#nextId()
    this.#calls.set(id, waiter)
    return id
  }

  remove(id: number): void {
    this.#calls.delete(id)
  }

  /** False: no call of that id is waiting. */
  settle(id: number, outcome: Outcome): boolean {
    const waiter = this.#calls.get(id)
    if (waiter === undefined) return false
    this.#calls.delete(id)
    waiter.settle(outcome)
    return true
  }

  failAll(reason: Error): void {
    const waiters = [...this.#calls.values()]
    this.#calls.clear()
    for (const waiter of waiters) waiter.fail(reason)
  }

  /** Ids go round at 2^32; 0 is no id, and one that is still pending is skipped. */
  #nextId(): number {
    do {
      this.#lastId = (this.#lastId % 0xffffffff) + 1
    } while (this.#calls.has(this.#lastId))
    return this.#lastId
  }
}
