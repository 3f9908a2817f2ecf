/** One store that this daemon serves, and beside it the control of the daemon. */
import { type Binder, OwnedStore } from '@memsvc/shared'
import { type Activity, type Caller, withoutContext } from '@memsvc/shared/internal'
import type { Access } from '../access/access.ts'
import { StoreAccess } from '../access/store-access.ts'
import type { StoreConfiguration } from '../config/stores.ts'
import type { Keeping } from './keeping.ts'

export interface PublishedStoreOptions {
  readonly configuration: StoreConfiguration
  readonly access: Access
  /** The extension of the store's binder. Borrowed. */
  readonly control: Binder
  readonly keeping: Keeping
}

/** What a store holds, for people and for `--json`. */
export interface StoreStatus {
  readonly name: string
  readonly keys: number
  /** Of the values alone. */
  readonly valueBytes: number
  /** Of the areas: with keys, places, and what is being replaced. */
  readonly usedBytes: number
  /** What the machine has given so far; it gives more when it is needed. */
  readonly allocatedBytes: number
  /** What it may come to, each area. */
  readonly capacity: number
  readonly areas: number
  readonly watchers: number
  /** What other users have of it, by the names of the limits. */
  readonly used: Readonly<Record<string, number>>
  /** How often it was written, and when last. */
  readonly activity: Activity
  /** Keys that the state folder lacks still, and whether it could not be written; null: without one. */
  readonly state: { readonly pending: number; readonly failing: boolean } | null
}

export class PublishedStore {
  readonly name: string
  readonly #store: OwnedStore
  readonly #access: StoreAccess
  readonly #keeping: Keeping
  #configuration: StoreConfiguration

  /** Makes and seals the areas. @throws as OwnedStore */
  constructor({ configuration, access, control, keeping }: PublishedStoreOptions) {
    const { name, capacity, maxKeys, maxValueBytes, limits, rules } = configuration
    this.name = name
    this.#configuration = configuration
    this.#access = new StoreAccess(access, name, rules)
    this.#keeping = keeping
    const options = {
      ...{ capacity, maxKeys, maxValueBytes, limits },
      areas: this.#access.areas,
      mayWrite: withoutContext((caller: Caller, key: string) => this.#access.mayWrite(caller, key)),
    }
    this.#store = keeping.begin(name, (beginning) => new OwnedStore(options, beginning))
    this.#store.binder.setExtension(control)
  }

  /** The service: publish it with `ServiceManager.addService`. It belongs to the store. */
  get binder(): Binder {
    return this.#store.binder
  }

  /** What holds for it now. */
  get configuration(): StoreConfiguration {
    return this.#configuration
  }

  get status(): StoreStatus {
    const { keys, valueBytes, usedBytes, allocatedBytes, watchers } = this.#store.stats
    const { used, areas, areaSize } = this.#store
    return {
      name: this.name,
      ...{ keys, valueBytes, usedBytes, allocatedBytes },
      capacity: areaSize.capacity,
      areas,
      ...{ watchers, used },
      activity: this.#store.activity,
      state: this.#keeping.stateOf(this.name),
    }
  }

  /**
   * Sets other rules, limits and sizes. When this is done, a user who may not read a key any more sees no new values of
   * it, because the key is in another area. If it fails, some of them may be set: configure it as it was before.
   * @throws ERR_LIMIT if the values do not fit; then the areas are unchanged; ERR_CLOSED
   */
  async configure(configuration: StoreConfiguration): Promise<void> {
    const { capacity, maxKeys, maxValueBytes, limits, rules } = configuration
    const { areaSize } = this.#store
    if (areaSize.capacity !== capacity || areaSize.maxKeys !== maxKeys) this.#store.resize({ capacity, maxKeys })
    await this.#store.setAreasInTurns(this.#access.areasBy(rules))
    this.#access.rules = rules
    this.#store.setLimits({ maxValueBytes, ...limits })
    this.#configuration = configuration
  }

  /** Unmaps the areas. Clients that have them mapped keep the last values. */
  close(): void {
    this.#store.close()
  }
}
