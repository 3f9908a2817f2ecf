/** The time limit of one change. Its signal is made only if the change needs one. */
export class Patience {
  readonly #end: AbortSignal
  readonly #deadline: number
  #signal: AbortSignal | null = null

  /** @param end ends it earlier */
  constructor(timeoutMs: number, end: AbortSignal) {
    this.#end = end
    this.#deadline = performance.now() + timeoutMs
  }

  get isOver(): boolean {
    return this.#end.aborted || performance.now() >= this.#deadline
  }

  /** Milliseconds; 1 when it is over. */
  get leftMs(): number {
    return Math.max(this.#deadline - performance.now(), 1)
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any([this.#end, AbortSignal.timeout(Math.ceil(this.leftMs))])
    return this.#signal
  }
}
