/** Oneway calls to one object: one after the other, in the order they came, each after the promise of the one before. */
export class OnewayQueue {
  readonly #waiting: (() => Promise<void> | undefined)[] = []
  readonly #onIdle: () => void
  #isRunning = false

  /** @param onIdle called when the last call has ended; then the queue is not used any more */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  /** @param serve never rejects */
  push(serve: () => Promise<void> | undefined): void {
    this.#waiting.push(serve)
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    for (let serve = this.#waiting.shift(); serve !== undefined; serve = this.#waiting.shift()) await serve()
    this.#onIdle()
  }
}
