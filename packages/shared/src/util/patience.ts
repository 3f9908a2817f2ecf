/**
 * Waiting for an answer with a time limit. All waits share one timer, because most are answered long before. The timer
 * does not keep the process alive; a call under way does, and so does the search for an owner.
 */

import { abortError } from './abortable.ts'
import { failForCaller } from './caller-stack.ts'
import { checkInteger, checkOptions, checkSignal, INT_MAX } from './check.ts'
import { type Expiring, expireInTime, expireNoMore, NOWHERE } from './common-timer.ts'
import { TimeoutError } from './errors.ts'
import { withoutStack } from './stack-traces.ts'
import { clearInterval, now as clock, setInterval } from './timers.ts'

/** How long a call or a wait may take. */
export interface CallOptions {
  /** Ends the wait with AbortError. The call may still be carried out. */
  signal?: AbortSignal | undefined
  /** Ends the wait with ERR_TIMEOUT after this many milliseconds. The call may still be carried out. */
  timeoutMs?: number | undefined
}

/**
 * The default time limit for answers of the registry, and for the library's own questions to services, in milliseconds.
 */
export const ANSWER_TIMEOUT_MS = 30_000

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function checkCallOptions(options: CallOptions): void {
  checkOptions('options', options)
  checkSignal(options.signal)
  if (options.timeoutMs !== undefined) checkInteger('timeoutMs', options.timeoutMs, 1, INT_MAX)
}

/** A moment after which nobody waits any more, for the waits of one call, one after the other. `end()` it. */
export class Deadline implements Expiring {
  /** In milliseconds, by `now()`. */
  readonly at: number
  place = NOWHERE
  readonly #options: CallOptions
  readonly #what: string
  readonly #onGivenUp: ((error: Error) => void) | undefined
  #error: Error | null = null
  #onAbort: (() => void) | null = null
  #fail: (error: unknown) => void = nobodyHears

  /**
   * @param what for people: what is waited for
   * @param onGivenUp called once with the reason, if the wait ends before `end()`
   */
  constructor(options: CallOptions, what: string, onGivenUp?: (error: Error) => void) {
    this.#options = options
    this.#what = what
    this.#onGivenUp = onGivenUp
    const { signal, timeoutMs = Number.POSITIVE_INFINITY } = options
    this.at = clock() + timeoutMs
    if (timeoutMs < Number.POSITIVE_INFINITY) expireInTime(this)
    if (signal !== undefined) this.#heed(signal)
  }

  /**
   * The result of `work`.
   * @throws ERR_TIMEOUT, AbortError; the work itself continues
   */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      const settle = this.#open(resolve)
      work.then((result) => settle(result), this.#fail)
    })
  }

  /**
   * Like `wait`, then `finish` on the result; the deadline ends with it.
   * @param drop gets a result that came too late
   */
  waitLast<T, R>(work: Promise<T>, finish: (result: T) => R, drop?: (result: T) => void): Promise<R> {
    return new Promise((resolve) => {
      const settle = this.#open(resolve)
      const fail = this.#fail
      work.then(
        (result) => {
          this.end()
          if (this.#error !== null) {
            drop?.(result)
            return
          }
          try {
            settle(finish(result))
          } catch (error) {
            fail(error)
          }
        },
        (error) => {
          this.end()
          fail(error)
        },
      )
    })
  }

  /** A wait begins, which `#fail` ends from now on. @returns what it ends well with */
  #open<R>(resolve: (result: R | Promise<never>) => void): (result: R) => void {
    let isOpen = true
    const settle = (result: R | Promise<never>) => {
      isOpen = false
      resolve(result)
    }
    this.#fail = (error) => {
      if (isOpen) settle(failForCaller(error)) // made only where somebody hears of it
    }
    if (this.#error !== null) this.#fail(this.#error)
    return settle
  }

  /** Nobody waits any more. */
  end(): void {
    expireNoMore(this)
    if (this.#onAbort !== null) this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Its time is over. */
  expire(): void {
    const message = `${this.#what}: no answer in ${this.#options.timeoutMs} ms`
    this.#giveUp(withoutStack(() => new TimeoutError(message)))
  }

  #giveUp(error: Error): void {
    this.end()
    if (this.#error !== null) return
    this.#error = error
    this.#fail(error)
    this.#onGivenUp?.(error)
  }

  #heed(signal: AbortSignal): void {
    this.#onAbort = () => this.#giveUp(withoutStack(() => abortError(signal)))
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort)
  }
}

function nobodyHears(): void {}

/**
 * The result of `work`. Without a signal or a time limit it just waits; a time limit keeps the process alive.
 * @param what for people: who should answer
 * @param drop gets a result that came too late
 * @throws ERR_TIMEOUT, AbortError; the work itself continues
 */
export function within<T>(
  options: CallOptions,
  what: string,
  work: Promise<T>,
  drop?: (result: T) => void,
): Promise<T> {
  if (options.signal === undefined && options.timeoutMs === undefined) return work
  // As long as it takes: the common timer, which keeps nobody alive, may come a little later.
  const alive = options.timeoutMs === undefined ? undefined : setInterval(() => undefined, options.timeoutMs)
  const letGo = () => clearInterval(alive)
  work.then(letGo, letGo)
  return new Deadline(options, what, letGo).waitLast(work, asItIs, drop)
}

function asItIs<T>(result: T): T {
  return result
}
