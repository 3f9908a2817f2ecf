/** Callbacks for registrations of services. Each is a binder that the registry calls oneway. */
import type { ImplementationOf } from '../binder/interface.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { IServiceCallback } from './registry-interface.ts'

/** Called for a registration. The binder has a new channel of its own. */
export type OnRegistration = (name: string, binder: IBinder) => void

export class NotificationCallback extends IServiceCallback.Stub implements ImplementationOf<typeof IServiceCallback> {
  readonly serviceName: string
  /** What the user registered; null for a wait of the library's own. */
  readonly callback: OnRegistration | null
  readonly onRegistration: () => void | Promise<void>

  constructor(serviceName: string, callback: OnRegistration | null, onRegistration: () => void | Promise<void>) {
    super()
    this.serviceName = serviceName
    this.callback = callback
    this.onRegistration = onRegistration
  }
}
