/** The region of a service, mapped. */
import { type ServiceManager, SharedValue } from '@memsvc/shared'
import { connectInTime, Deadline, findService, waitForRegistry } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { readWait } from './store-options.ts'

/** The caller closes it. @throws as findService and SharedValue.of; ToolError the service does not answer */
export async function openValue(manager: ServiceManager, name: string, deadline: Deadline): Promise<SharedValue> {
  return deadline.within(SharedValue.of(await findService(manager, name, deadline)), name)
}

/** The registry that was asked for, with `--wait` also one that is yet to come, and the service. The caller closes it. @throws as connectInTime */
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
