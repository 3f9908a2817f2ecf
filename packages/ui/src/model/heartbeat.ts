/**
 * Whether somebody answers: asked again and again, one question at a time. A process that is stopped, or has too much to do, keeps its
 * connections, and what it serves stays readable; only its answers do not come.
 */
import { errorCode } from '@memsvc/shared'

const PAUSE_MS = 1000
/** An answer that takes longer is late. */
const PATIENCE_MS = 2000

export class Heartbeat {
  readonly #ask: () => Promise<unknown>
  readonly #onChange: (isSlow: boolean) => void
  #isSlow = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  /** Asks from now on. @param ask that it fails is an answer too, but for ERR_TIMEOUT; @param onChange told when {@link isSlow} changes */
  constructor(ask: () => Promise<unknown>, onChange: (isSlow: boolean) => void) {
    this.#ask = ask
    this.#onChange = onChange
    void this.#beat()
  }

  /** Whether an answer is late. */
  get isSlow(): boolean {
    return this.#isSlow
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  async #beat(): Promise<void> {
    this.#timer = setTimeout(() => this.#become(true), PATIENCE_MS).unref()
    const isLate = await this.#ask().then(
      () => false,
      (error) => errorCode(error) === 'ERR_TIMEOUT',
    )
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#become(isLate)
    this.#timer = setTimeout(() => void this.#beat(), PAUSE_MS).unref()
  }

  #become(isSlow: boolean): void {
    if (this.#isClosed || isSlow === this.#isSlow) return
    this.#isSlow = isSlow
    this.#onChange(isSlow)
  }
}
