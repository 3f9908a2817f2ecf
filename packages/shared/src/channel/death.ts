/** What a channel's end is called for those who waited on it: always that the object is dead, with the reason behind it. */
import { DeadObjectError, LimitError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { Violation } from './message.ts'

/** Of an end that nobody has given a reason for. */
export const GONE = 'the process that served this object is gone, or has closed the channel'

/**
 * Ends that come from outside. Their stack means nothing, and each waiter gets a copy by `retold`, so one error of each
 * kind is enough.
 */
export const PEER_GONE: DeadObjectError = withoutStack(() => new DeadObjectError(GONE))
export const CLOSED: DeadObjectError = withoutStack(() => new DeadObjectError('the channel was closed'))

/** What a pending call fails with: a violation is this side's reason, not the caller's. */
export function asDeath(reason: Error): Error {
  return reason instanceof Violation
    ? new DeadObjectError('the other side broke the protocol', { cause: reason })
    : reason
}

/** A copy of the error of an end, for one waiter, with the waiter's stack. */
export function retold(reason: Error): Error {
  const death = asDeath(reason)
  const options = death.cause === undefined ? undefined : { cause: death.cause }
  if (death instanceof LimitError) return new LimitError(death.resource, death.limit, death.used, options)
  const Same = death.constructor as new (message: string, options?: ErrorOptions) => Error // of those that say no more
  return new Same(death.message, options)
}
