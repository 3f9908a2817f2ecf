/** Callbacks for registrations of services: each is a binder of its own, which the registry calls oneway. */
import { Binder } from '../binder/binder.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { ON_REGISTRATION, REGISTRY_DESCRIPTOR } from './registry-protocol.ts'

/** Told of a registration; the binder is found anew, with a channel of its own. */
export type OnRegistration = (name: string, binder: IBinder) => void

export class NotificationCallback extends Binder {
  readonly serviceName: string
  /** What the user registered; null for a wait of the library's own. */
  readonly callback: OnRegistration | null
  readonly #onNews: () => void | Promise<void>

  constructor(serviceName: string, callback: OnRegistration | null, onNews: () => void | Promise<void>) {
    super()
    this.serviceName = serviceName
    this.callback = callback
    this.#onNews = onNews
  }

  override async onTransact(code: number, data: Parcel, reply: Parcel, flags: number): Promise<boolean> {
    if (code !== ON_REGISTRATION) return super.onTransact(code, data, reply, flags)
    data.enforceInterface(REGISTRY_DESCRIPTOR)
    await this.#onNews()
    return true
  }
}
