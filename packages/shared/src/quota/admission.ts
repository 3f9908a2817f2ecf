/**
 * Admits peers up to the limits, and settles their accounts when they leave. A peer over the limit gets the error when
 * it has sent HELLO. Only a limited number of such peers may wait for that; the others are disconnected without an
 * answer.
 */
import { Violation } from '../channel/message.ts'
import { counters, countRefusal } from '../util/counters.ts'
import { LimitError } from '../util/errors.ts'
import type { Account, Ledger } from './ledger.ts'

/** One peer that was let in, at least as far as its HELLO. */
export interface AdmittedPeer<R extends string> {
  readonly account: Account<R>
  /** What to answer to its HELLO instead of serving it. */
  readonly refusal: LimitError | null
}

interface Subject {
  readonly uid: number
  readonly [field: string]: unknown
}

/** Where peers are written about. */
export interface AdmissionLog {
  debug(subject: Subject, message: string): void
  warn(subject: Subject, message: string): void
  error(subject: Subject, message: string): void
}

export interface AdmissionOptions<R extends string> {
  readonly ledger: Ledger<R>
  /** What each peer is charged one of. */
  readonly resource: R
  /** The charge for a peer over the limit until it has got its error. */
  readonly turnedAway: R
  /** A library has none. */
  readonly log?: AdmissionLog
}

export class Admission<R extends string> {
  readonly #options: AdmissionOptions<R>

  constructor(options: AdmissionOptions<R>) {
    this.#options = options
  }

  /** null: it is to be closed at once. */
  enter(uid: number): AdmittedPeer<R> | null {
    const { ledger, resource, turnedAway } = this.#options
    const account = ledger.open(uid)
    const refusal = tryCharge(account, resource)
    if (refusal !== null) countRefusal(refusal.code)
    if (refusal === null || tryCharge(account, turnedAway) === null) return { account, refusal }
    account.close()
    return null
  }

  /**
   * The peer is gone, and everything should have been refunded: a rest is a bug in memsvc. A violation is one line in
   * the log.
   */
  leave({ account, refusal }: AdmittedPeer<R>, pid: number, reason: Error): void {
    const { resource, turnedAway, log } = this.#options
    account.refund(refusal === null ? resource : turnedAway)
    const who = { of: resource, peerPid: pid, uid: account.uid } // `pid` is that of the process that logs
    if (reason instanceof Violation) {
      counters.violations += 1
      log?.warn({ ...who, reason: reason.message }, 'a peer was disconnected: it broke the protocol')
    } else log?.debug(who, 'ended')
    const rest = account.close()
    if (rest.length > 0) log?.error({ ...who, rest }, 'some charges were not refunded: this is a bug in memsvc')
  }
}

function tryCharge<R extends string>(account: Account<R>, resource: R): LimitError | null {
  try {
    account.charge(resource)
    return null
  } catch (error) {
    if (error instanceof LimitError) return error
    throw error
  }
}
