/** A repeated event that one waiter waits for. An event before the wait is not lost. */
import { clearTimeout, setTimeout } from './timers.ts'

export class Signal {
  #isRaised = false
  #wake: (() => void) | null = null

  raise(): void {
    this.#isRaised = true
    this.#wake?.()
  }

  /**
   * Resolves to true once raised, or after `timeoutMs` milliseconds; to false as soon as `signal` fires. By itself it
   * does not keep the process alive, a timeout does.
   */
  async wait(options: { timeoutMs?: number; signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    const { timeoutMs, signal } = options
    if (!this.#isRaised && signal?.aborted !== true) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal?.addEventListener('abort', this.#onAbort)
        if (timeoutMs !== undefined) timer = setTimeout(resolve, timeoutMs)
      })
      clearTimeout(timer)
      signal?.removeEventListener('abort', this.#onAbort)
    }
    this.#isRaised = false
    this.#wake = null
    return signal?.aborted !== true
  }

  readonly #onAbort = (): void => this.#wake?.()
}
