/** What a channel's end is called for those who waited on it: always that the object is dead, with the reason behind it. */
import { DeadObjectError } from '../errors.ts'
import { Violation } from './message.ts'

/** An end that comes from outside: no stack has anything to say about it, and to record one takes longer than all the rest. */
export function death(message: string): DeadObjectError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new DeadObjectError(message)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** What a pending call fails with: a violation is this side's reason, not the caller's. */
export function asDeath(reason: Error): Error {
  return reason instanceof Violation
    ? new DeadObjectError('the other side broke the protocol', { cause: reason })
    : reason
}
