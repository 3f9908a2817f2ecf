/**
 * What a binder is to the layers below it: parcels carry binders without knowing how they are called.
 * The classes are in `binder/`.
 */

import type { CallOptions } from '../util/patience.ts'
import type { CarriedBinder } from './carried-binder.ts'
import type { Parcel } from './parcel.ts'

export { acceptsFileDescriptors } from './carried-binder.ts'

/**
 * An object that can be called, also from another process: a local `Binder`, or the `BinderProxy` of one elsewhere
 * (android.os.IBinder).
 */
export interface IBinder extends CarriedBinder {
  /**
   * Calls the object. Resolves to false when it does not know the code.
   * @param data stays the caller's.
   * @param reply filled with the answer; null when none is wanted (always for FLAG_ONEWAY). Stays the caller's.
   * @param options how long to wait for the answer; default: as long as it takes
   * @throws as `BinderProxy.transact`; of a local object what it throws itself
   */
  transact(code: number, data: Parcel, reply?: Parcel | null, flags?: number, options?: CallOptions): Promise<boolean>
  /** The name of the interface; null if none is attached. A proxy asks once and keeps the answer. */
  getInterfaceDescriptor(options?: CallOptions): Promise<string | null>
  /** Whether the object answers; false on any error. */
  pingBinder(options?: CallOptions): Promise<boolean>
  /** Whether its process lives, as far as is known. Nothing is asked. */
  isBinderAlive(): boolean
  /** The local implementation, if its interface has this name; always null for a proxy. */
  queryLocalInterface(descriptor: string): IInterface | null
  /**
   * Has `recipient` told when the process of the object is gone. Nothing to a local object.
   * @param flags kept with the link; unlinkToDeath needs the same flags
   * @throws ERR_DEAD_OBJECT if the object has died already; ERR_NULL_POINTER or ERR_INVALID_ARG_TYPE for a bad
   *   recipient
   */
  linkToDeath(recipient: DeathRecipient, flags?: number): void
  /**
   * Removes one link.
   * @returns true; false if the object is dead. Always true for a local object
   * @throws ERR_NO_SUCH_ELEMENT if there is no such link
   */
  unlinkToDeath(recipient: DeathRecipient, flags?: number): boolean
}

/** The implementation of an interface, or a proxy for it (android.os.IInterface). */
export interface IInterface {
  /** The binder that this implements or calls. */
  asBinder(): IBinder
}

/** Called once when the process of a linked proxy is gone (android.os.IBinder.DeathRecipient). */
export interface DeathRecipient {
  /**
   * @param who the proxy that was linked. An error that this throws becomes the process warning MEMSVC_CALLBACK_ERROR.
   */
  binderDied(who: IBinder): void
}
