/** Calls that were sent and have no answer yet, by id. */
import { limitError } from '../util/limit.ts'
import type { Outcome } from './channel.ts'
import { CHANNEL_LIMITS } from './limits.ts'

interface PendingCall {
  resolve(outcome: Outcome): void
  reject(error: Error): void
}

export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>()
  #lastId = 0

  get size(): number {
    return this.#calls.size
  }

  /** A new call: its id, and what it will come to. @throws LimitError */
  add(): { id: number; outcome: Promise<Outcome> } {
    const { pendingCalls } = CHANNEL_LIMITS
    if (this.#calls.size >= pendingCalls.limit) throw limitError(pendingCalls, this.#calls.size)
    const id = this.#nextId()
    const outcome = new Promise<Outcome>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
    })
    return { id, outcome }
  }

  remove(id: number): void {
    this.#calls.delete(id)
  }

  /** False: no call of that id is waiting. */
  settle(id: number, outcome: Outcome): boolean {
    const call = this.#calls.get(id)
    if (call === undefined) return false
    this.#calls.delete(id)
    call.resolve(outcome)
    return true
  }

  rejectAll(reason: Error): void {
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const call of calls) call.reject(reason)
  }

  /** Ids go round at 2^32; 0 is no id, and one that is still pending is skipped. */
  #nextId(): number {
    do {
      this.#lastId = (this.#lastId % 0xffffffff) + 1
    } while (this.#calls.has(this.#lastId))
    return this.#lastId
  }
}
