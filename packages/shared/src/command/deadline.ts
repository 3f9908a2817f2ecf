/** Limits how long a command waits for other processes: a stopped process does not answer, and is not dead. */

import { InvalidArgValueError } from '../util/errors.ts'
import { clearTimeout, LONGEST_WAIT_MS, now, setTimeout } from '../util/timers.ts'
import { EXIT, ToolError } from './exit-codes.ts'

/** A daemon answers in less than a millisecond. One that has not answered after this long hangs. */
const DEFAULT_SECONDS = 5
/** What a timer of Node takes. */
export const MAX_SECONDS: number = Math.floor(LONGEST_WAIT_MS / 1000)

/** The deadline of one command, for all its waits together. */
export class Deadline {
  readonly #seconds: number
  #end: number

  /** @param begin when the command began, in milliseconds by `process.hrtime()` */
  constructor(seconds: number = DEFAULT_SECONDS, begin: number = now()) {
    this.#seconds = seconds
    this.#end = begin + seconds * 1000
  }

  /** Milliseconds; 0 when it has passed. */
  get leftMs(): number {
    return Math.max(0, this.#end - now())
  }

  /** Counts what a first attempt has taken: at most half of the time, so that there is enough to find out who is late. */
  spend(milliseconds: number): void {
    this.#end -= Math.min(milliseconds, this.#seconds * 500)
  }

  /** Starts the deadline again, for the next step of a long operation. */
  restart(): void {
    this.#end = now() + this.#seconds * 1000
  }

  /**
   * Waits for `call`. If the time is over, the call itself continues, so the caller should end the process.
   * @param callee who is late
   * @param action what it has not done; both are for the message
   * @throws ToolError with EXIT.tryAgain; errors of the call
   */
  async within<T>(call: Promise<T>, callee: string, action = 'answered'): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const expiry = new Promise<never>((_resolve, reject) => {
      const message = `${callee} has not ${action} for ${this.#seconds} s, try again later`
      timer = setTimeout(() => {
        // A timer may come a fraction of a millisecond early: what it ended has passed.
        this.#end = Math.min(this.#end, now())
        reject(new ToolError(EXIT.tryAgain, message))
      }, this.leftMs)
    })
    try {
      return await Promise.race([call, expiry])
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * `--timeout SECONDS`.
 * @throws ERR_INVALID_ARG_VALUE if it is not a decimal number above 0, or more than a timer accepts
 */
export function readTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SECONDS
  const seconds = readDecimal(text)
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw new InvalidArgValueError(
    `--timeout must be a number of seconds above 0, at most ${MAX_SECONDS}; got ${JSON.stringify(text)}`,
  )
}

/** The number of an option: digits, possibly with a fraction; 0 if the text is not one. */
export function readDecimal(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0
}
