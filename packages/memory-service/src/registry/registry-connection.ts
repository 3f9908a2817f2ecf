/** The registry as one connection sees it: object 0 of that connection, which knows whose calls it serves. */
import type { IBinder, ImplementationOf, ServiceInfo } from '@memsvc/shared'
import { type FoundService, IServiceManager } from '@memsvc/shared/internal'
import type { Peer, Registry } from './registry.ts'

export class RegistryConnection extends IServiceManager.Stub implements ImplementationOf<typeof IServiceManager> {
  readonly #registry: Registry
  readonly #peer: Peer
  readonly #opened: Promise<void>

  /** @param opened whoever asks for names is answered once it has resolved */
  constructor(registry: Registry, peer: Peer, opened: Promise<void>) {
    super()
    this.#registry = registry
    this.#peer = peer
    this.#opened = opened
  }

  async getService(name: string | null): Promise<FoundService> {
    await this.#opened
    return this.#registry.find(this.#peer, name)
  }

  /** Android's checkService does not start a lazy service; there is none here, so both are the same. */
  async checkService(name: string | null): Promise<FoundService> {
    await this.#opened
    return this.#registry.find(this.#peer, name)
  }

  /** The host's own service comes first: who hosts the registry must not lose his name to one who started with him. */
  async addService(
    name: string | null,
    binder: IBinder | null,
    takesFds: boolean,
    dumpPriority: number,
  ): Promise<void> {
    if (this.#peer.caller.pid !== process.pid) await this.#opened
    try {
      this.#registry.add(this.#peer, { name, binder, takesFds, dumpPriority })
    } catch (error) {
      this.#registry.letGo(this.#peer, binder)
      throw error
    }
  }

  async listServices(dumpPriority: number): Promise<string[]> {
    await this.#opened
    return this.#registry.list(this.#peer, dumpPriority)
  }

  registerForNotifications(name: string | null, callback: IBinder | null): void {
    try {
      this.#registry.notify(this.#peer, name, callback)
    } catch (error) {
      this.#registry.letGo(this.#peer, callback)
      throw error
    }
  }

  unregisterForNotifications(name: string | null, callback: IBinder | null): void {
    try {
      this.#registry.unnotify(this.#peer, name, callback)
    } finally {
      this.#registry.letGo(this.#peer, callback)
    }
  }

  async getServiceInfo(name: string | null): Promise<ServiceInfo | null> {
    await this.#opened
    return this.#registry.info(this.#peer, name)
  }
}
