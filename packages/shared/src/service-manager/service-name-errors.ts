/** The errors about the name of a service: it is not allowed, or nobody has published it. */
import { show } from '../util/check.ts'
import { InvalidArgValueError, ServiceNotFoundError } from '../util/errors.ts'
import { isServiceName } from './service-name.ts'

/** @throws ERR_INVALID_ARG_VALUE */
export function checkServiceName(name: unknown): asserts name is string {
  if (!isServiceName(name)) {
    throw new InvalidArgValueError(
      `a service's name must be 1 to 127 characters of a-z A-Z 0-9 _ - . /, got ${show(name)}`,
    )
  }
}

/** The registry at this path has no service of that name, perhaps not yet. */
export function noService(name: string, path: string): ServiceNotFoundError {
  return new ServiceNotFoundError(
    `No service published for: ${name} (at ${path}: 'memsvc list' shows all services, waitForService() waits)`,
  )
}
