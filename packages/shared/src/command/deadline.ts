/** How long a command waits for others: a process that is stopped answers nothing, and is not dead. */

import { InvalidArgValueError } from '../util/errors.ts'
import { clearTimeout, LONGEST_WAIT_MS, now, setTimeout } from '../util/timers.ts'
import { EXIT, ToolError } from './exit-codes.ts'

/** A daemon answers in less than a millisecond; one that has not after this long is stuck. */
const DEFAULT_SECONDS = 5
/** What a timer of Node takes. */
export const MAX_SECONDS: number = Math.floor(LONGEST_WAIT_MS / 1000)

/** Of one command, for all its waits together. */
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

  /** It begins anew: for the next step of what takes as long as it takes. */
  restart(): void {
    this.#end = now() + this.#seconds * 1000
  }

  /**
   * What `call` comes to. A call that is given up goes on; whoever gives up ends the process.
   * @param callee who is late; @param action what it has not done, both for the message
   * @throws ToolError with EXIT.tryAgain; what the call throws
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

/** `--timeout SECONDS`. @throws ERR_INVALID_ARG_VALUE it is no decimal number above 0, or more than a timer takes */
export function readTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SECONDS
  const seconds = readDecimal(text)
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw new InvalidArgValueError(
    `--timeout must be a number of seconds above 0, at most ${MAX_SECONDS}; got ${JSON.stringify(text)}`,
  )
}

/** A number of an option's, as it is written: digits, and a fraction perhaps; 0 if it is none. */
export function readDecimal(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0
}
