/**
 * Lets peers in, up to the limits, and sees them out. One who is too many is told so when he has said HELLO; only so
 * many may take their time over that, the others hear nothing.
 */
import { LimitError } from '@memsvc/shared'
import { Violation } from '@memsvc/shared/internal'
import type { Account, Ledger } from './ledger.ts'
import type { Resource } from './limits.ts'
import type { PeerLog } from './peer-log.ts'

/** One peer that was let in, at least as far as its HELLO. */
export interface Guest {
  readonly account: Account
  /** What to answer to its HELLO instead of serving it. */
  readonly refusal: LimitError | null
}

export interface AdmissionOptions {
  readonly ledger: Ledger
  /** What each peer is charged one of. */
  readonly resource: Resource
  readonly log: PeerLog
}

export class Admission {
  readonly #options: AdmissionOptions

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** null: it is to be closed at once. */
  enter(uid: number): Guest | null {
    const account = this.#options.ledger.open(uid)
    const refusal = tryCharge(account, this.#options.resource)
    return refusal !== null && tryCharge(account, 'refused') !== null ? null : { account, refusal }
  }

  /** The peer is gone, and all that it had has been refunded: a rest is a bug of ours. A violation is one line of log. */
  leave({ account, refusal }: Guest, pid: number, reason: Error): void {
    const { resource, log } = this.#options
    account.refund(refusal === null ? resource : 'refused')
    const who = { of: resource, pid, uid: account.uid }
    if (reason instanceof Violation) log.warn({ ...who, reason: reason.message }, 'ended: it broke the protocol')
    else log.debug(who, 'ended')
    const rest = account.close()
    if (rest.length > 0) log.error({ ...who, rest }, 'not refunded: a bug')
  }
}

function tryCharge(account: Account, resource: Resource): LimitError | null {
  try {
    account.charge(resource)
    return null
  } catch (error) {
    if (error instanceof LimitError) return error
    throw error
  }
}
