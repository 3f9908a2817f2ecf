/**
 * The stores that this daemon serves. It lives without one whose name another process holds, or that it may not publish, and says
 * whose the name is.
 */
import { type Binder, errorCode, LimitError } from '@memsvc/shared'
import type { Logger } from 'pino'
import type { Access } from '../access/access.ts'
import type { StoreConfiguration } from '../config/stores.ts'
import type { Keeping } from './keeping.ts'
import { PublishedStore, type StoreStatus } from './published-store.ts'

export interface StoresOptions {
  readonly stores: readonly StoreConfiguration[]
  readonly access: Access
  /** The extension of each store's binder. Borrowed. */
  readonly control: Binder
  readonly keeping: Keeping
  /** Ends the channels to a service that is no longer served. */
  readonly endChannels: (service: Binder) => void
  readonly logger: Logger
}

/** Publishes under a name, at whichever registry there is. @throws as ServiceManager.addService */
export type Publish = (name: string, binder: Binder) => Promise<void>

export class Stores {
  readonly #options: StoresOptions
  readonly #served = new Map<string, PublishedStore>()

  constructor(options: StoresOptions) {
    this.#options = options
  }

  /**
   * Makes and publishes the stores.
   * @throws errors of the areas and of the registry, except those about the name
   */
  async publish(publish: Publish): Promise<void> {
    for (const store of this.#options.stores) await this.#publishOne(store, publish)
  }

  /**
   * Applies this configuration: it publishes new stores, and closes those that are no longer in it. The names of closed
   * stores stay taken until the daemon ends, because the registry cannot release a name; calls to them are refused.
   * @throws ERR_LIMIT if the values of a store do not fit; then none was changed, published or closed
   */
  async configure(stores: readonly StoreConfiguration[], publish: Publish): Promise<void> {
    await this.#configureServed(stores)
    for (const store of stores) if (!this.#served.has(store.name)) await this.#publishOne(store, publish)
    const names = new Set(stores.map(({ name }) => name))
    for (const store of [...this.#served.values()]) if (!names.has(store.name)) this.#end(store)
  }

  /** What each of them holds. */
  get status(): StoreStatus[] {
    return [...this.#served.values()].map(({ status }) => status)
  }

  /**
   * Another process has this name now, so clients should find that one.
   * @returns false if it is not the name of a store here
   */
  lose(name: string, error: unknown): boolean {
    const store = this.#served.get(name)
    if (store === undefined) return false
    this.#options.logger.error({ name, reason: (error as Error).message }, 'the store is no longer served')
    this.#withdraw(store)
    return true
  }

  close(): void {
    for (const store of this.#served.values()) store.close()
    this.#served.clear()
  }

  /** All of them or none. */
  async #configureServed(stores: readonly StoreConfiguration[]): Promise<void> {
    const before: (readonly [PublishedStore, StoreConfiguration])[] = []
    try {
      for (const store of stores) {
        const served = this.#served.get(store.name)
        if (served === undefined) continue
        before.push([served, served.configuration])
        await this.#configure(served, store)
      }
    } catch (error) {
      for (const [served, configuration] of before) await this.#restore(served, configuration)
      throw error
    }
  }

  async #configure(served: PublishedStore, store: StoreConfiguration): Promise<void> {
    try {
      await served.configure(store)
    } catch (error) {
      if (this.#served.get(store.name) !== served) return // it was lost meanwhile
      throw saidOf(store.name, error)
    }
  }

  async #restore(served: PublishedStore, configuration: StoreConfiguration): Promise<void> {
    try {
      await this.#configure(served, configuration)
    } catch (error) {
      // Its users have put more than it could hold before.
      const { name } = configuration
      this.#options.logger.warn({ name, reason: (error as Error).message }, 'the store keeps some of the new settings')
    }
  }

  async #publishOne(configuration: StoreConfiguration, publish: Publish): Promise<void> {
    const { access, control, keeping, logger } = this.#options
    const { name } = configuration
    let store: PublishedStore
    try {
      store = new PublishedStore({ configuration, access, control, keeping })
    } catch (error) {
      throw saidOf(name, error) // it has values of before
    }
    this.#served.set(name, store)
    try {
      await publish(name, store.binder)
    } catch (error) {
      this.#withdraw(store)
      if (!OF_THE_NAME.includes(errorCode(error) ?? '')) throw error
      logger.warn({ name, reason: (error as Error).message }, 'the store is not served')
    }
  }

  /** Its readers notice because their channels end. */
  #end(store: PublishedStore): void {
    const { keeping, logger } = this.#options
    const { name, status } = store
    this.#withdraw(store)
    keeping.forget(name)
    logger.warn({ name, keys: status.keys }, 'the store was closed, because it is no longer in the configuration')
  }

  #withdraw(store: PublishedStore): void {
    this.#served.delete(store.name)
    this.#options.endChannels(store.binder)
    store.close()
  }
}

/** A limit of a store says of which. */
function saidOf(name: string, error: unknown): unknown {
  if (error instanceof LimitError) error.message = `the store ${name}: ${error.message}`
  return error
}

/** Another process has the name, the rules forbid it, or the limit is reached. */
const OF_THE_NAME = ['ERR_ILLEGAL_STATE', 'ERR_SECURITY', 'ERR_LIMIT']
