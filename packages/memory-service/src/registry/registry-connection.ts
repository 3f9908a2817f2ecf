/** The registry as one connection sees it: object 0 of that connection, which knows whose calls it serves. */
import type { IBinder, ImplementationOf, ServiceInfo } from '@memsvc/shared'
import { type FoundService, IServiceManager, readsCallerSynchronously } from '@memsvc/shared/internal'
import type { Gate } from './gate.ts'
import type { Peer } from './peer.ts'
import type { NewService, Registry } from './registry.ts'

export class RegistryConnection extends IServiceManager.Stub implements ImplementationOf<typeof IServiceManager> {
  readonly #registry: Registry
  readonly #peer: Peer
  readonly #gate: Gate

  /** @param gate questions for names are answered when it is open */
  constructor(registry: Registry, peer: Peer, gate: Gate) {
    super()
    this.#registry = registry
    this.#peer = peer
    this.#gate = gate
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  getService(name: string | null): FoundService | Promise<FoundService> {
    return this.#gate.pass(() => this.#registry.find(this.#peer, name))
  }

  /** Android's checkService does not start a lazy service; there is none here, so both are the same. */
  checkService(name: string | null): FoundService | Promise<FoundService> {
    return this.getService(name)
  }

  /** The host's own service comes first: the host must not lose its name to a process that started at the same time. */
  addService(
    name: string | null,
    binder: IBinder | null,
    acceptsFileDescriptors: boolean,
    dumpPriority: number,
  ): void | Promise<void> {
    const service = { name, binder, acceptsFileDescriptors, dumpPriority }
    return this.#peer.caller.pid === process.pid ? this.#add(service) : this.#gate.pass(() => this.#add(service))
  }

  listServices(dumpPriority: number): string[] | Promise<string[]> {
    return this.#gate.pass(() => this.#registry.list(this.#peer, dumpPriority))
  }

  registerForNotifications(name: string | null, callback: IBinder | null): void {
    try {
      this.#registry.notify(this.#peer, name, callback)
    } catch (error) {
      this.#registry.letGo(callback)
      throw error
    }
  }

  unregisterForNotifications(name: string | null, callback: IBinder | null): void {
    try {
      this.#registry.unnotify(this.#peer, name, callback)
    } finally {
      this.#registry.letGo(callback)
    }
  }

  getServiceInfo(name: string | null): ServiceInfo | null | Promise<ServiceInfo | null> {
    return this.#gate.pass(() => this.#registry.info(this.#peer, name))
  }

  getCallerUid(): number {
    return this.#peer.caller.uid | 0
  }

  #add(service: NewService): void {
    try {
      this.#registry.add(this.#peer, service)
    } catch (error) {
      this.#registry.letGo(service.binder)
      throw error
    }
  }
}
