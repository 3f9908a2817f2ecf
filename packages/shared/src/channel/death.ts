/** What a channel's end is called for those who waited on it: always that the object is dead, with the reason behind it. */
import { DeadObjectError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { Violation } from './message.ts'

/** An end that comes from outside: no stack has anything to say about it, and to record one takes longer than all the rest. */
export function death(message: string): DeadObjectError {
  return withoutStack(() => new DeadObjectError(message))
}

/** What a pending call fails with: a violation is this side's reason, not the caller's. */
export function asDeath(reason: Error): Error {
  return reason instanceof Violation
    ? new DeadObjectError('the other side broke the protocol', { cause: reason })
    : reason
}
