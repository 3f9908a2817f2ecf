/** Leads a command to a service, each step within the command's deadline. */

import type { IBinder } from '../parcel/ibinder.ts'
import { isGone } from '../service-manager/outage.ts'
import type { ServiceInfo } from '../service-manager/registry-interface.ts'
import type { RegistryChoice } from '../service-manager/registry-path.ts'
import { retryOverloaded } from '../service-manager/retry.ts'
import { ServiceManager } from '../service-manager/service-manager.ts'
import { errorCode, ServiceNotFoundError } from '../util/errors.ts'
import { setTimeout } from '../util/timers.ts'
import type { Deadline } from './deadline.ts'

/** Who is waited for, in the message. */
const REGISTRY = 'the registry'
const RETRY_MS = 50

/** The caller closes the manager. @throws as ServiceManager.connect; ToolError too late */
export function connectInTime(choice: RegistryChoice, deadline: Deadline): Promise<ServiceManager> {
  const connected = retryOverloaded(() => ServiceManager.connect(choice), { timeoutMs: deadline.leftMs })
  return deadline.within(connected, REGISTRY)
}

/** Waits also for a registry that is not there yet. The caller closes the manager. @throws as connectInTime */
export async function waitForRegistry(choice: RegistryChoice, deadline: Deadline): Promise<ServiceManager> {
  for (;;) {
    try {
      return await connectInTime(choice, deadline)
    } catch (error) {
      if (errorCode(error) !== 'ERR_REGISTRY_UNAVAILABLE') throw error
      const pause = new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS))
      await deadline.within(pause, REGISTRY, 'come')
    }
  }
}

/** @throws ERR_SERVICE_NOT_FOUND; ToolError too late; as getService */
export async function findService(manager: ServiceManager, name: string, deadline: Deadline): Promise<IBinder> {
  const binder = await deadline.within(manager.getService(name), REGISTRY)
  if (binder !== null) return binder
  throw notFound(manager, name)
}

export function notFound(manager: ServiceManager, name: string): ServiceNotFoundError {
  return new ServiceNotFoundError(
    `no service ${JSON.stringify(name)} at ${manager.path}; 'memsvc list' shows all services`,
  )
}

/**
 * The process that serves the name; null if there is none, or if the registry is gone.
 * @throws ToolError after the deadline; otherwise as getServiceInfo
 */
export function findHolder(manager: ServiceManager, name: string, deadline: Deadline): Promise<ServiceInfo | null> {
  return deadline.within(
    unlessGone(() => manager.getServiceInfo(name)),
    REGISTRY,
  )
}

/** The names of all services, sorted. @throws ToolError too late; as listServices */
export function listNames(manager: ServiceManager, deadline: Deadline): Promise<string[]> {
  return deadline.within(manager.listServices(), REGISTRY)
}

/**
 * All services and the processes that serve them, without those that end meanwhile.
 * @throws as listNames
 */
export async function* listHolders(
  manager: ServiceManager,
  deadline: Deadline,
): AsyncGenerator<{ name: string } & ServiceInfo> {
  for (const name of await listNames(manager, deadline)) {
    const holder = await deadline.within(manager.getServiceInfo(name), REGISTRY)
    if (holder !== null) yield { name, ...holder }
  }
}

/** null when who was asked is gone. @throws every other error */
export async function unlessGone<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}
