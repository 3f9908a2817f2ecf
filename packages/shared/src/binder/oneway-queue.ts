/** Oneway calls to one object: one after the other, in the order they came, each after the promise of the one before. */
import { MAX_ONEWAY_BACKLOG } from '../channel/limits.ts'
import { Violation } from '../channel/message.ts'

export class OnewayQueue {
  readonly #waiting: (() => void | Promise<void>)[] = []
  #isRunning = false

  /** @throws Violation when the sender is too far ahead: its channel must end */
  push(serve: () => void | Promise<void>): void {
    if (this.#waiting.length >= MAX_ONEWAY_BACKLOG) throw new Violation(`${MAX_ONEWAY_BACKLOG} oneway calls wait`)
    this.#waiting.push(serve)
    if (!this.#isRunning) void this.#run()
  }

  get isIdle(): boolean {
    return !this.#isRunning
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    for (let serve = this.#waiting.shift(); serve !== undefined; serve = this.#waiting.shift()) await serve()
    this.#isRunning = false
  }
}
