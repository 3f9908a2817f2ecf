/** Serves the oneway calls of one channel: those to one object one after the other. Nobody waits for an answer. */
import { isException } from '../parcel/parcel-exceptions.ts'
import { reportCallbackError } from '../util/report.ts'
import type { Binder } from './binder.ts'
import type { Caller } from './calling-identity.ts'
import { OnewayQueue } from './oneway-queue.ts'
import { type RunningCall, serve } from './running-call.ts'

export class OnewayCalls {
  readonly #onOver: (call: RunningCall) => void
  /** Of the objects that have calls under way. */
  #queues: Map<Binder, OnewayQueue> | null = null
  #count = 0

  /** @param onOver a call has ended, however it did */
  constructor(onOver: (call: RunningCall) => void) {
    this.#onOver = onOver
  }

  /** Those under way. */
  get count(): number {
    return this.#count
  }

  /** One that nothing of this object is before, and that is served at once, needs no queue. */
  start(binder: Binder, call: RunningCall, caller: Caller): void {
    this.#count += 1
    let queue = this.#queues?.get(binder)
    if (queue === undefined) {
      const ending = this.#serve(binder, call, caller)
      if (ending === undefined) return
      queue = this.#openQueue(binder)
      queue.push(() => ending)
    } else queue.push(() => this.#serve(binder, call, caller))
  }

  #openQueue(binder: Binder): OnewayQueue {
    this.#queues ??= new Map()
    const queues = this.#queues
    const queue = new OnewayQueue(() => queues.delete(binder))
    queues.set(binder, queue)
    return queue
  }

  /** @returns undefined: it is over */
  #serve(binder: Binder, call: RunningCall, caller: Caller): Promise<void> | undefined {
    try {
      const isKnown = serve(binder, call, caller)
      if (typeof isKnown !== 'boolean') return this.#finishLater(call, isKnown)
      this.#finish(call)
    } catch (error) {
      this.#finish(call)
      report(call, error)
    }
    return undefined
  }

  async #finishLater(call: RunningCall, answer: Promise<boolean>): Promise<void> {
    try {
      await answer
    } catch (error) {
      report(call, error)
    } finally {
      this.#finish(call)
    }
  }

  #finish(call: RunningCall): void {
    this.#count -= 1
    this.#onOver(call)
  }
}

/** An error that is an answer to the caller is lost, as oneway is meant; any peer could fill our log with those. */
function report({ code }: RunningCall, error: unknown): void {
  if (!isException(error)) reportCallbackError(`a oneway call with code ${code}`, error)
}
