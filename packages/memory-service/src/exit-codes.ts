/** The exit statuses of memsvc, and which error ends in which. The only place with their numbers. */
import { errorCode } from '@memsvc/shared'

export const EXIT_DONE = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
export const EXIT_NOT_FOUND = 3
export const EXIT_NOT_PERMITTED = 4
export const EXIT_TRY_AGAIN = 5

const BY_CODE = new Map([
  ['ERR_INVALID_ARG_TYPE', EXIT_USAGE],
  ['ERR_INVALID_ARG_VALUE', EXIT_USAGE],
  ['ERR_OUT_OF_RANGE', EXIT_USAGE],
  ['ERR_REGISTRY_UNAVAILABLE', EXIT_NOT_FOUND],
  ['ERR_SERVICE_NOT_FOUND', EXIT_NOT_FOUND],
  ['ERR_SECURITY', EXIT_NOT_PERMITTED],
  // open(2), mkdir(2) and bind(2) in a folder of another user's
  ['EACCES', EXIT_NOT_PERMITTED],
  ['EPERM', EXIT_NOT_PERMITTED],
  ['ERR_LIMIT', EXIT_TRY_AGAIN],
  // connect(2): the queue of a registry that does not accept is full
  ['EAGAIN', EXIT_TRY_AGAIN],
])

export function exitCodeOf(error: unknown): number {
  return BY_CODE.get(errorCode(error) ?? '') ?? EXIT_FAILED
}
