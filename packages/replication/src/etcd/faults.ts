/** Recognizes etcd's refusals by their text, because gRPC has too few codes to tell them apart. */
import { EngineError, type EngineFault } from '../engine/engine.ts'

/** In this order: the first that fits. */
const FAULTS: readonly (readonly [pattern: RegExp, fault: EngineFault])[] = [
  [/has been compacted/, 'compacted'],
  [/future revision/, 'refused'],
  [/permission denied|invalid user|user name|authentication|auth|CommonName/, 'denied'],
  [/space exceeded/, 'full'],
  [/request is too large|larger than max|too many operations/, 'tooLarge'],
  // What was not proposed yet.
  [/no leader|too many requests|not healthy|learner/, 'unsent'],
  [/duplicate key|key is not provided|not found/, 'refused'],
]

/**
 * After all other errors the change may have been made: "request timed out", "leader changed", and errors of a newer
 * etcd.
 */
export function faultOf(message: string): EngineError {
  const known = FAULTS.find(([pattern]) => pattern.test(message))
  return new EngineError(known?.[1] ?? 'unknown', `etcd: ${message}`)
}

/** The token is over, or of before a change of the rights: another one will do. */
export function wantsNewToken(message: string): boolean {
  return /invalid auth token|auth store is old|user name is empty/.test(message)
}

/** Users were not enabled there, or not yet: it does without a token. */
export function asksNobody(message: string): boolean {
  return /authentication is not enabled/.test(message)
}
