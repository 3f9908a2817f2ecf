/**
 * What a binder is to the layers below it: parcels carry binders without knowing how they are called.
 * The classes are in `binder/`.
 */

import type { CallOptions } from '../util/patience.ts'
import type { CarriedBinder } from './carried-binder.ts'
import type { Parcel } from './parcel.ts'

export { acceptsFileDescriptors } from './carried-binder.ts'

/** A remotable object: a local `Binder`, or the `BinderProxy` of one in another process (android.os.IBinder). */
export interface IBinder extends CarriedBinder {
  /**
   * Calls the object. Resolves to false when it does not know the code.
   * @param data stays the caller's.
   * @param reply filled with the answer; null when none is wanted (always for FLAG_ONEWAY). Stays the caller's.
   * @param options how long to wait for the answer; default: as long as it takes
   * @throws as `BinderProxy.transact`; of a local object what it throws itself
   */
  transact(code: number, data: Parcel, reply?: Parcel | null, flags?: number, options?: CallOptions): Promise<boolean>
  /** The name of the interface, null while none is attached; a proxy asks once and keeps it. */
  getInterfaceDescriptor(options?: CallOptions): Promise<string | null>
  /** Whether the object answers; false on any error. */
  pingBinder(options?: CallOptions): Promise<boolean>
  /** Whether its process lives, as far as is known. Nothing is asked. */
  isBinderAlive(): boolean
  /** The local implementation when it has this descriptor; always null of a proxy. */
  queryLocalInterface(descriptor: string): IInterface | null
  /**
   * Has `recipient` told when the process of the object is gone. Nothing to a local object.
   * @param flags kept with the link, and must be the same to unlink it
   * @throws ERR_DEAD_OBJECT it is gone already; ERR_NULL_POINTER, ERR_INVALID_ARG_TYPE the recipient
   */
  linkToDeath(recipient: DeathRecipient, flags?: number): void
  /**
   * Takes one link back: true, or false when the object is dead. Always true of a local object.
   * @throws ERR_NO_SUCH_ELEMENT there is no such link
   */
  unlinkToDeath(recipient: DeathRecipient, flags?: number): boolean
}

/** An interface: what wraps a binder, be it the implementation or a proxy (android.os.IInterface). */
export interface IInterface {
  /** The binder that is called, or implemented, by this. */
  asBinder(): IBinder
}

/** Told once when the process of a linked proxy is gone. */
export interface DeathRecipient {
  /** @param who the proxy that was linked. What this throws is a process warning, MEMSVC_CALLBACK_ERROR. */
  binderDied(who: IBinder): void
}
