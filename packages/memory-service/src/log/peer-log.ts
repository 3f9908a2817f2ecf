/**
 * What the log says about peers. Each peer that misbehaves gets one line, but making new peers costs a user nothing. So
 * the number of lines is limited for each user and in total. Further lines are counted, and the count is logged.
 */
import type { Logger } from 'pino'
import { DAEMON_LIMITS } from '../quota/limits.ts'

/** The peer that a line is about, and other fields of the line. */
export interface Subject {
  /** Lines about nobody in particular are one user's. */
  readonly uid?: number
  readonly [field: string]: unknown
}

export class PeerLog {
  readonly #logger: Logger
  /** In the current while, by uid. */
  readonly #lines = new Map<number | undefined, number>()
  #total = 0
  #leftOut = 0
  #while: NodeJS.Timeout | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  warn(subject: Subject, message: string): void {
    if (this.#hasRoom(subject.uid)) this.#logger.warn(subject, message)
    else this.#leftOut += 1
  }

  /** A fault of this daemon's: always told. */
  error(subject: Subject, message: string): void {
    this.#logger.error(subject, message)
  }

  debug(subject: Subject, message: string): void {
    this.#logger.debug(subject, message)
  }

  /** Logs how many lines were left out so far. */
  close(): void {
    clearTimeout(this.#while)
    this.#while = undefined
    if (this.#leftOut > 0) this.#logger.warn({ leftOut: this.#leftOut }, 'log lines about peers were left out')
    this.#leftOut = 0
    this.#total = 0
    this.#lines.clear()
  }

  #hasRoom(uid: number | undefined): boolean {
    const { logLines, logLinesOfUser, logPeriod } = DAEMON_LIMITS
    this.#while ??= setTimeout(() => this.close(), logPeriod.limit).unref()
    const lines = this.#lines.get(uid) ?? 0
    if (lines >= logLinesOfUser.limit || this.#total >= logLines.limit) return false
    this.#lines.set(uid, lines + 1)
    this.#total += 1
    return true
  }
}
