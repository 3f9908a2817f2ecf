/** Waiting for an answer, but not for ever. */
import { TimeoutError } from '../errors.ts'
import { abortError } from '../util/abortable.ts'

/** How long a wait may take. */
export interface Patience {
  /** Ends it with AbortError. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds, from its beginning. */
  readonly timeoutMs: number
}

/** A moment after which nobody waits any more. It is passed on to each wait of one call; `end()` it. */
export class Deadline {
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal | undefined
  readonly #reject: (error: Error) => void
  readonly #over: Promise<never>

  /** @param what for people: what was waited for */
  constructor({ signal, timeoutMs }: Patience, what: string) {
    let reject = (_error: Error): void => undefined
    this.#over = new Promise<never>((_resolve, rejected) => {
      reject = rejected
    })
    this.#over.catch(() => undefined) // often nobody waits when it comes
    this.#reject = reject
    this.#timer = setTimeout(() => reject(new TimeoutError(`${what}: no answer in ${timeoutMs} ms`)), timeoutMs)
    this.#signal = signal
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort)
  }

  /** What `work` comes to. @throws ERR_TIMEOUT, AbortError: the work itself goes on */
  wait<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#over])
  }

  /** Nobody waits any more. */
  end(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (): void => this.#reject(abortError(this.#signal))
}
