/** The region of a service, mapped. */
import { errorCode, type IBinder, IMemoryService, type ServiceManager, SharedValue } from '@memsvc/shared'
import { connectInTime, Deadline, EXIT, findService, ToolError, waitForRegistry } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { readWait } from './store-options.ts'

/** A service by its name, and how long it may take. */
interface Asked {
  readonly manager: ServiceManager
  readonly name: string
  readonly deadline: Deadline
}

/** The caller closes it. @throws as callValue and SharedValue.of */
export function openValue(manager: ServiceManager, name: string, deadline: Deadline): Promise<SharedValue> {
  return callValue({ manager, name, deadline }, (service) => SharedValue.of(service))
}

/**
 * Calls the service of a value.
 * @throws as findService; errors of the call; ToolError if the service does not answer, or is not a value
 */
export async function callValue<T>(asked: Asked, call: (service: IBinder) => T | Promise<T>): Promise<T> {
  const { manager, name, deadline } = asked
  const service = await findService(manager, name, deadline)
  try {
    return await deadline.within(Promise.resolve(call(service)), name)
  } catch (error) {
    // A service with another interface fails with this code, and so does one that does not permit the call.
    if (errorCode(error) === 'ERR_SECURITY') await checkValue(asked)
    throw error
  }
}

/** @throws ToolError it is another thing than a value */
async function checkValue(asked: Asked): Promise<void> {
  const descriptor = await descriptorOf(asked)
  if (descriptor === IMemoryService.DESCRIPTOR) return
  throw new ToolError(
    EXIT.failed,
    `${asked.name} is not a value, but ${descriptor ?? 'a service without an interface name'}`,
  )
}

/** One that does not say it either: what it said first is the better word for it, so it is taken for a value. */
async function descriptorOf({ manager, name, deadline }: Asked): Promise<string | null> {
  try {
    const service = await findService(manager, name, deadline)
    return await deadline.within(Promise.resolve(service.getInterfaceDescriptor()), name)
  } catch {
    return IMemoryService.DESCRIPTOR
  }
}

/**
 * Connects to the registry that the options name; with `--wait` it waits for the registry and the service. The caller
 * closes it.
 * @throws as connectInTime
 */
export async function connectTo(context: Context, name: string): Promise<ServiceManager> {
  const { registry, deadline, options } = context
  const seconds = readWait(options.wait)
  if (seconds === null) return connectInTime(registry, deadline)
  const wait = new Deadline(seconds)
  const manager = await waitForRegistry(registry, wait)
  try {
    await wait.within(manager.waitForService(name), name, 'come')
    deadline.restart()
    return manager
  } catch (error) {
    manager.close()
    throw error
  }
}
