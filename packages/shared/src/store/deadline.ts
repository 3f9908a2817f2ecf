/**
 * Waiting for an answer, but not for ever. All who wait share one timer, since most are answered long before: a timer for each call
 * would cost a fifth of the call. It keeps nobody alive: a call under way does, and so does who looks for the owner.
 */
import { abortError } from '../util/abortable.ts'
import { TimeoutError } from '../util/errors.ts'

/** How long a wait may take. */
export interface Patience {
  /** Ends it with AbortError. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds, from its beginning. */
  readonly timeoutMs: number
}

const pending = new Set<Deadline>()
let timer: NodeJS.Timeout | undefined
/** When the timer comes; there may be nobody left for it then. */
let timerAt = Number.POSITIVE_INFINITY

/** A moment after which nobody waits any more, for the waits of one call, one after the other. `end()` it. */
export class Deadline {
  /** In milliseconds of `performance.now()`. */
  readonly at: number
  readonly #patience: Patience
  readonly #what: string
  #error: Error | null = null
  #reject: ((error: Error) => void) | null = null

  /** @param what for people: what is waited for */
  constructor(patience: Patience, what: string) {
    this.#patience = patience
    this.#what = what
    this.at = performance.now() + patience.timeoutMs
    pending.add(this)
    if (this.at < timerAt) schedule(this.at)
    const { signal } = patience
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort)
  }

  /** What `work` comes to. @throws ERR_TIMEOUT, AbortError: the work itself goes on */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) reject(this.#error)
      this.#reject = reject
      work.then(resolve, reject)
    })
  }

  /** As `wait`, and what `finish` makes of it; the deadline ends with it. */
  waitLast<T, R>(work: Promise<T>, finish: (result: T) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      work.then(
        (result) => {
          this.end()
          try {
            resolve(finish(result))
          } catch (error) {
            reject(error)
          }
        },
        (error) => {
          this.end()
          reject(error)
        },
      )
    })
  }

  /** Nobody waits any more. */
  end(): void {
    pending.delete(this)
    this.#patience.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Its time is over. */
  expire(): void {
    this.#fail(new TimeoutError(`${this.#what}: no answer in ${this.#patience.timeoutMs} ms`))
  }

  #fail(error: Error): void {
    pending.delete(this)
    this.#error ??= error
    this.#reject?.(error)
  }

  readonly #onAbort = (): void => this.#fail(abortError(this.#patience.signal))
}

/** What setTimeout can wait for. */
const LONGEST_WAIT_MS = 0x7fffffff

function schedule(at: number): void {
  clearTimeout(timer)
  timerAt = at
  timer = setTimeout(look, Math.min(Math.max(Math.ceil(at - performance.now()), 1), LONGEST_WAIT_MS)).unref()
}

function look(): void {
  timerAt = Number.POSITIVE_INFINITY
  const now = performance.now()
  let next = Number.POSITIVE_INFINITY
  for (const deadline of [...pending]) {
    if (deadline.at <= now) deadline.expire()
    else next = Math.min(next, deadline.at)
  }
  if (next < timerAt) schedule(next)
}
