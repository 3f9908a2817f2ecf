/** The value of a daemon as a client in the test's own process has it. */
import { setTimeout as delay } from 'node:timers/promises'
import { type BinderProxy, DEFAULT_SERVICE_NAME, errorCode, ServiceManager, SharedValue } from '@memsvc/shared'
import { controlOf } from '@memsvc/shared/internal'
import { OTHER_UID } from '@memsvc/shared/test-support'
import { Hub } from 'memfd-native'
import type { Test } from 'tap'
import type { Status } from './memsvc.ts'

// It keeps a descriptor for as long as the thread lives: made before a test counts what it leaves behind.
Hub.current()

/** Between two looks at what announces itself to nobody. */
const POLL_MS = 5

/** A connection to the registry; gone with the test. */
export async function connect(t: Test, registry: string): Promise<ServiceManager> {
  const manager = await ServiceManager.connect({ path: registry, registryOwner: OTHER_UID })
  t.teardown(() => manager.close())
  return manager
}

/** A mapped value; gone with the test. */
export async function openValue(t: Test, registry: string, name?: string): Promise<SharedValue> {
  const value = await SharedValue.open(await connect(t, registry), name)
  t.teardown(() => value.close())
  return value
}

/** As openValue, of a daemon that is not ready yet, and whose log cannot be read. */
export async function openValueSoon(t: Test, registry: string): Promise<SharedValue> {
  const manager = await connectSoon(registry)
  t.teardown(() => manager.close())
  const value = await SharedValue.of(await manager.waitForService(DEFAULT_SERVICE_NAME))
  t.teardown(() => value.close())
  return value
}

/** Resolves once there is a registry. */
export async function connectSoon(path: string): Promise<ServiceManager> {
  for (;;) {
    try {
      return await ServiceManager.connect({ path, registryOwner: OTHER_UID })
    } catch (error) {
      if (errorCode(error) !== 'ERR_REGISTRY_UNAVAILABLE') throw error
    }
    await delay(POLL_MS)
  }
}

/** Resolves once the registry has exactly these names, whoever hosts it by then. */
export async function namesBecome(registry: string, wanted: readonly string[]): Promise<void> {
  for (;;) {
    using manager = await connectSoon(registry)
    try {
      const names = await manager.listServices()
      if (names.join() === [...wanted].sort().join()) return
    } catch (error) {
      if (errorCode(error) !== 'ERR_DEAD_OBJECT') throw error
    }
    await delay(POLL_MS)
  }
}

/** What the daemon holds right now, asked over a channel that is there already. */
export async function statusOf(value: SharedValue): Promise<Status> {
  return JSON.parse((await (await controlOf(value.binder)).status()) ?? 'null') as Status
}

/** Resolves when the service is gone. */
export function death(binder: SharedValue['binder']): Promise<void> {
  return new Promise((resolve) => {
    if (binder.isBinderAlive()) (binder as BinderProxy).linkToDeath({ binderDied: () => resolve() })
    else resolve()
  })
}
