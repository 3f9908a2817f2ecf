/** Calls that were sent and have no answer yet, by id. */
import { limitError } from '../util/limit.ts'
import type { Outcome } from './channel.ts'
import { CHANNEL_LIMITS } from './limits.ts'

/** Who waits for the outcome of one call. Exactly one of the two is called, once. */
export interface CallWaiter {
  /** The outcome's bytes may be borrowed: copy them before returning. Its descriptors belong to the waiter. */
  settle(outcome: Outcome): void
  /** There will be no answer: the channel has ended. */
  fail(reason: Error): void
}

/** An id is a place in a list that is as long as calls were ever pending at once, and how often an id was given before. */
const PLACE_BITS = 10
const PLACES = 1 << PLACE_BITS // as many as CHANNEL_LIMITS.pendingCalls
const MAX_COUNT = 2 ** (32 - PLACE_BITS) - 1

export class PendingCalls {
  readonly #ids: number[] = []
  readonly #waiters: (CallWaiter | null)[] = []
  /** Places that are free again. */
  readonly #free: number[] = []
  #count = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns the id of the new call, a u32 but 0. @throws LimitError */
  add(waiter: CallWaiter): number {
    const { pendingCalls } = CHANNEL_LIMITS
    if (this.#size >= pendingCalls.limit) throw limitError(pendingCalls, this.#size)
    const place = this.#free.pop() ?? this.#ids.length
    this.#count = this.#count === MAX_COUNT ? 1 : this.#count + 1 // never 0, or an id might be
    const id = this.#count * PLACES + place
    this.#ids[place] = id
    this.#waiters[place] = waiter
    this.#size += 1
    return id
  }

  remove(id: number): void {
    this.#take(id)
  }

  /** False: no call of that id is waiting. */
  settle(id: number, outcome: Outcome): boolean {
    const waiter = this.#take(id)
    waiter?.settle(outcome)
    return waiter !== null
  }

  failAll(reason: Error): void {
    const waiters = this.#waiters.filter((waiter) => waiter !== null)
    this.#ids.length = this.#waiters.length = this.#free.length = this.#size = 0
    for (const waiter of waiters) waiter.fail(reason)
  }

  #take(id: number): CallWaiter | null {
    const place = id % PLACES
    const waiter = this.#waiters[place] ?? null
    if (waiter === null || this.#ids[place] !== id) return null
    this.#waiters[place] = null
    this.#free.push(place)
    this.#size -= 1
    return waiter
  }
}
