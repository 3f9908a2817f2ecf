/** Services of the test's own process, which do not do what a memory service does. */
import { IMemoryService, type ImplementationOf, type ParcelFileDescriptor, ServiceManager } from '@memsvc/shared'
import { Hub } from 'memfd-native'
import type { Test } from 'tap'

// The thread's hub keeps its descriptors from first use on: it is no leak of the test that comes first.
Hub.current()

/** What each method of the service does; what is not given is like a good service without a region. */
export type Behaviour = Partial<ImplementationOf<typeof IMemoryService>>

class OddService extends IMemoryService.Stub implements ImplementationOf<typeof IMemoryService> {
  readonly #behaviour: Behaviour

  constructor(behaviour: Behaviour) {
    super()
    this.#behaviour = behaviour
  }

  getFileDescriptor(): Promise<ParcelFileDescriptor | null> | ParcelFileDescriptor | null {
    return this.#behaviour.getFileDescriptor?.() ?? null
  }

  setValue(value: number): Promise<void> | void {
    return this.#behaviour.setValue?.(value)
  }
}

/** Publishes a service until the test ends. */
export async function publish(t: Test, registry: string, name: string, behaviour: Behaviour): Promise<void> {
  const manager = await ServiceManager.connect({ path: registry })
  t.teardown(() => manager.close())
  await manager.addService(name, new OddService(behaviour))
}

/** An answer that never comes. */
export function never(): Promise<never> {
  return new Promise(() => {})
}
