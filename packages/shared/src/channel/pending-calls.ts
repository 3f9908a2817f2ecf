/** Calls that were sent and have no answer yet, by id. */
import { limitError } from '../util/limit.ts'
import type { Outcome } from './channel-handler.ts'
import { CHANNEL_LIMITS } from './limits.ts'

/** Waits for the outcome of one call. Exactly one of the two methods is called, once. */
export interface CallWaiter {
  /** The id of the call. Only the channel sets it. */
  id: number
  /** Nobody waits any more; a later answer must be dropped. */
  readonly isGivenUp?: boolean
  /** The outcome's bytes may be borrowed: copy them before returning. Its descriptors belong to the waiter. */
  settle(outcome: Outcome): void
  /** There will be no answer: the channel has ended. */
  fail(reason: Error): void
}

const FIRST_PLACES = 8
const NO_PLACES: (CallWaiter | undefined)[] = []

/**
 * Ids are given out in turn, so a call's place is its id modulo the number of places, and hardly ever taken. A Map, asked
 * four times for each call, was a twentieth of the time that 64 calls in flight took.
 */
export class PendingCalls {
  /** Their number is a power of 2, or 0 at first: most channels of a server never call. */
  #places: (CallWaiter | undefined)[] = NO_PLACES
  #size = 0
  /** Of those that nobody waits for any more. */
  #givenUp = 0
  /** The most at once since one was last added to none. */
  #peak = 0
  #lastId = 0

  get size(): number {
    return this.#size
  }

  /** Those that somebody waits for. */
  get awaited(): number {
    return this.#size - this.#givenUp
  }

  /** Whether one more will not be alone: others are pending, or several were before and have been answered together. */
  get areConcurrent(): boolean {
    return this.awaited > 0 || this.#peak > 1
  }

  /** @returns the id of the new call. @throws LimitError */
  add(waiter: CallWaiter): number {
    const { pendingCalls } = CHANNEL_LIMITS
    if (this.#size >= pendingCalls.limit) throw limitError(pendingCalls, this.#size)
    if (this.#size * 2 >= this.#places.length) this.#grow()
    const id = this.#nextId()
    waiter.id = id
    this.#places[this.#placeOf(id)] = waiter
    this.#peak = this.awaited === 0 ? 1 : Math.max(this.#peak, this.awaited + 1)
    this.#size += 1
    return id
  }

  /** The call was not sent. */
  remove(id: number): void {
    this.#take(id)
  }

  /** Nobody waits for a pending call any more. Its answer may come all the same. */
  giveUp(): void {
    this.#givenUp += 1
  }

  /** False: no call of that id is waiting. */
  settle(id: number, outcome: Outcome): boolean {
    const waiter = this.#take(id)
    if (waiter === undefined) return false
    waiter.settle(outcome)
    return true
  }

  failAll(reason: Error): void {
    if (this.#size === 0) return
    const calls = this.#places.filter((call) => call !== undefined)
    this.#places = NO_PLACES
    this.#size = 0
    this.#givenUp = 0
    for (const waiter of calls.sort((a, b) => a.id - b.id)) waiter.fail(reason)
  }

  #take(id: number): CallWaiter | undefined {
    const place = this.#placeOf(id)
    const waiter = this.#places[place]
    if (waiter?.id !== id) return undefined
    this.#places[place] = undefined
    this.#size -= 1
    if (waiter.isGivenUp === true) this.#givenUp -= 1
    return waiter
  }

  /** Ids wrap around at 2^32. 0 is not an id, and an id that a slow call still uses is skipped. */
  #nextId(): number {
    do {
      this.#lastId = this.#lastId >= 0xffffffff ? 1 : this.#lastId + 1
    } while (this.#places[this.#placeOf(this.#lastId)] !== undefined)
    return this.#lastId
  }

  #placeOf(id: number): number {
    return id & (this.#places.length - 1)
  }

  /** Two calls that have different places keep different ones. */
  #grow(): void {
    const calls = this.#places
    this.#places = new Array(Math.max(calls.length * 2, FIRST_PLACES)).fill(undefined)
    for (const call of calls) if (call !== undefined) this.#places[this.#placeOf(call.id)] = call
  }
}
