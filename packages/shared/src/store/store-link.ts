/** The connection to the owner of a store, across its deaths and restarts. */
import type { IBinder } from '../parcel/ibinder.ts'
import { ServiceLink } from '../service-manager/service-link.ts'
import { IStore } from './store-interface.ts'

export type { LinkEvents } from '../service-manager/service-link.ts'

/** The owner, to be called. */
export interface StoreOwner {
  readonly binder: IBinder
  readonly store: NonNullable<ReturnType<typeof IStore.asInterface>>
}

export class StoreLink extends ServiceLink {
  #owner: StoreOwner | null = null

  /** The owner; null while it is away. */
  get owner(): StoreOwner | null {
    const { binder } = this
    if (binder === null) this.#owner = null
    else if (this.#owner?.binder !== binder) this.#owner = { binder, store: IStore.asInterface(binder) }
    return this.#owner
  }
}
