/**
 * The clock of those who take turns, and the round in which they are served. A turn is one of the event loop: timers,
 * signals and what others send come between two of them.
 *
 * Time is what passes from one message to the next, so that a message costs one look at the clock; the first event of a batch none,
 * because the hub has looked, and of the own user's quick ones only every eighth does. What handlers leave to promises runs after their
 * batch: it is shared out by the number of messages.
 */
import { Hub } from 'memfd-native'
import { now as clock, setImmediate } from '../util/timers.ts'

/** One of those who take turns. */
export interface Waiter {
  /** Serves what waits, within its share of this turn. @returns false: nothing waits any more */
  serve(): boolean
  /** It was served for so long, in milliseconds. */
  charge(milliseconds: number): void
  /** Messages that it was served since `forget`. */
  readonly count: number
  /** They left so many milliseconds each to promises. */
  chargeDeferred(each: number): void
  forget(): void
}

class Turns {
  /** The turn that it is: another number in each. */
  number = 0
  readonly #waiting = new Set<Waiter>()
  #isScheduled = false
  /** Between two turns, those who wait are served; otherwise the hub tells of a batch. */
  #isServing = false
  #batch = 0
  #hubTurn = -1
  /** Of this batch: when the last message began, whose it is, whose there were before, and how long all took. */
  #last = 0
  #current: Waiter | null = null
  readonly #served: (Waiter | null)[] = []
  #servedCount = 0
  #attributed = 0

  /** Made by the first channel, not here. */
  #hub(): Hub {
    return Hub.current()
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  isWaiting(waiter: Waiter): boolean {
    return this.#waiting.has(waiter)
  }

  /**
   * Whether the packet that is being delivered comes right behind a message of this waiter, in the same batch. Then the
   * time until now belongs to the waiter in any case.
   */
  goOnWith(waiter: Waiter): boolean {
    return this.#current === waiter && !this.#isServing && this.#batch === this.#hub().batch
  }

  /**
   * A message of this waiter is next, so the time until now belongs to the one before. Only while packets are
   * delivered.
   */
  mark(waiter: Waiter): void {
    const hub = this.#hub()
    if (!this.#isServing && this.#batch !== hub.batch) {
      this.#enterBatch(hub)
      this.#last = hub.batchStartMs || clock()
    } else this.#attribute()
    if (this.#current === waiter) return
    this.#current = waiter
    for (let i = 0; i < this.#servedCount; i++) if (this.#served[i] === waiter) return
    this.#served[this.#servedCount++] = waiter
  }

  /** It is served in the next turns, until it says that nothing waits any more. */
  wait(waiter: Waiter): void {
    this.#waiting.add(waiter)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return
    this.#isScheduled = true
    // Two, so that the second comes right after the promises of the first.
    const start = { at: 0 }
    setImmediate(() => this.#serve(start))
    setImmediate(() => this.#afterServing(start))
  }

  #serve(start: { at: number }): void {
    this.#distribute(this.#hub().lastBatchMs())
    this.number += 1
    this.#isServing = true
    start.at = clock()
    this.#last = start.at
    for (const waiter of [...this.#waiting]) if (!waiter.serve()) this.#waiting.delete(waiter)
    this.#rotate()
  }

  #afterServing(start: { at: number }): void {
    const now = clock()
    this.#distribute(now - start.at)
    this.#isServing = false
    this.#batch = this.#hub().batch
    this.#isScheduled = false
    this.#schedule()
  }

  /** Who was first is last in the next turn. */
  #rotate(): void {
    const [first] = this.#waiting
    if (first === undefined || this.#waiting.size === 1) return
    this.#waiting.delete(first)
    this.#waiting.add(first)
  }

  #enterBatch(hub: Hub): void {
    this.#endBatch(hub)
    this.#batch = hub.batch
    if (this.#hubTurn === hub.turn) return
    this.#hubTurn = hub.turn
    this.number += 1
  }

  /**
   * For a single message it is not worth reading the clock. If a batch without messages came in between, its time is
   * charged to nobody.
   */
  #endBatch(hub: Hub): void {
    if (this.#servedCount === 0) return
    if (this.#servedCount === 1 && (this.#served[0] as Waiter).count === 1) this.#forget()
    else this.#distribute(this.#batch + 1 === hub.batch ? hub.lastBatchMs() : 0)
  }

  #attribute(): void {
    const now = clock()
    const passed = now - this.#last
    this.#last = now
    if (this.#current === null) return
    this.#current.charge(passed)
    this.#attributed += passed
  }

  /** The batch has ended and took this long. The part that is not charged yet is distributed. */
  #distribute(milliseconds: number): void {
    let messages = 0
    for (let i = 0; i < this.#servedCount; i++) messages += (this.#served[i] as Waiter).count
    const each = messages === 0 ? 0 : Math.max(0, milliseconds - this.#attributed) / messages
    for (let i = 0; i < this.#servedCount; i++) (this.#served[i] as Waiter).chargeDeferred(each)
    this.#forget()
  }

  #forget(): void {
    // It keeps one empty slot: an array that becomes empty frees its memory, and would allocate it again for the next
    // message.
    for (let i = 0; i < this.#servedCount; i++) {
      ;(this.#served[i] as Waiter).forget()
      this.#served[i] = null
    }
    this.#servedCount = 0
    this.#current = null
    this.#attributed = 0
  }
}

/** Those of this thread. */
export const turns = new Turns()
