/** The way to a service, each step with a limit of time: a daemon that is stopped answers nothing, and is not dead. */
import { type IBinder, ServiceManager, ServiceNotFoundError, SharedValue } from '@memsvc/shared'
import type { Context } from './context.ts'
import { EXIT, ToolError } from './exit-codes.ts'

/** A daemon answers in less than a millisecond; one that has not after this long is stuck. */
const CALL_TIMEOUT_MS = 5000

/** The caller closes the manager. @throws as ServiceManager.connect */
export function connect({ registry }: Context): Promise<ServiceManager> {
  return ServiceManager.connect(registry)
}

/** @throws ERR_SERVICE_NOT_FOUND; ToolError the registry does not answer; as ServiceManager.getService */
export async function findService(manager: ServiceManager, name: string): Promise<IBinder> {
  const binder = await inTime(manager.getService(name), 'the registry')
  if (binder === null) throw new ServiceNotFoundError(`no service ${JSON.stringify(name)} at ${manager.path}`)
  return binder
}

/** The service's region, mapped. The caller closes it. @throws as findService and SharedValue.of */
export async function openValue(manager: ServiceManager, name: string): Promise<SharedValue> {
  return inTime(SharedValue.of(await findService(manager, name)), name)
}

/**
 * The answer of a call, or an error if it takes too long. A call that is given up goes on; whoever gives up ends the
 * process.
 * @param callee who was called, for the message
 * @throws ToolError with EXIT.tryAgain; what the call throws
 */
export async function inTime<T>(call: Promise<T>, callee: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_resolve, reject) => {
    const message = `${callee} has not answered for ${CALL_TIMEOUT_MS / 1000} s, try again later`
    timer = setTimeout(() => reject(new ToolError(EXIT.tryAgain, message)), CALL_TIMEOUT_MS)
  })
  try {
    return await Promise.race([call, expiry])
  } finally {
    clearTimeout(timer)
  }
}
