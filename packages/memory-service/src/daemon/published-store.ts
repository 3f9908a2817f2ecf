/** One store that this daemon serves, and beside it the control of the daemon. */
import { type Binder, OwnedStore, type OwnedStoreOptions } from '@memsvc/shared'

export interface PublishedStoreOptions extends OwnedStoreOptions {
  readonly name: string
  /** The extension of the store's binder. Borrowed. */
  readonly control: Binder
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
  readonly watchers: number
}

export class PublishedStore {
  readonly name: string
  readonly #store: OwnedStore

  /** Makes and seals the areas. @throws as OwnedStore */
  constructor({ name, control, ...options }: PublishedStoreOptions) {
    this.name = name
    this.#store = new OwnedStore(options)
    this.#store.binder.setExtension(control)
  }

  /** To be published. Belongs to the store. */
  get binder(): Binder {
    return this.#store.binder
  }

  get status(): StoreStatus {
    const { keys, valueBytes, usedBytes, allocatedBytes, watchers } = this.#store.stats
    return { name: this.name, keys, valueBytes, usedBytes, allocatedBytes, watchers }
  }

  /** Unmaps the areas. Clients that have them mapped keep the last values. */
  close(): void {
    this.#store.close()
  }
}
