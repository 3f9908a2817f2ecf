/** Errors that mean that the registry was away. They say nothing about the question. */
import { errorCode } from '../util/errors.ts'
import { isOverloaded } from './retry.ts'

/** Nobody is there, or who was there has gone while it was asked. */
export function isGone(error: unknown): boolean {
  return ['ERR_REGISTRY_UNAVAILABLE', 'ERR_DEAD_OBJECT'].includes(errorCode(error) ?? '')
}

/** The registry's host is coming or going, or has too many at its door: the same question may work in a moment. */
export function isOutage(error: unknown): boolean {
  return isOverloaded(error) || isGone(error)
}
