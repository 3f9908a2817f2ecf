/**
 * What a binder is to the layers below it: parcels carry binders without knowing how they are called.
 * The classes are in `binder/`.
 */
import type { Parcel } from './parcel.ts'

/** A remotable object: a local `Binder`, or the `BinderProxy` of one in another process (android.os.IBinder). */
export interface IBinder {
  /**
   * Calls the object. Resolves to false when it does not know the code.
   * @param reply filled with the answer; null when none is wanted (always for FLAG_ONEWAY).
   */
  transact(code: number, data: Parcel, reply?: Parcel | null, flags?: number): Promise<boolean>
  /** The name of the interface, null while none is attached; a proxy asks once and keeps it. */
  getInterfaceDescriptor(): Promise<string | null>
  pingBinder(): Promise<boolean>
  isBinderAlive(): boolean
  /** The local implementation when it has this descriptor; always null of a proxy. */
  queryLocalInterface(descriptor: string): IInterface | null
  linkToDeath(recipient: DeathRecipient, flags?: number): void
  unlinkToDeath(recipient: DeathRecipient, flags?: number): boolean
  /** Whether requests to this object may carry descriptors. */
  readonly [acceptsFileDescriptors]: boolean
}

/** An interface: what wraps a binder, be it the implementation or a proxy (android.os.IInterface). */
export interface IInterface {
  asBinder(): IBinder
}

/** Told once when the process of a linked proxy is gone. */
export interface DeathRecipient {
  binderDied(who: IBinder): void
}

export const acceptsFileDescriptors: unique symbol = Symbol('acceptsFileDescriptors')
