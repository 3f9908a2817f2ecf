/** How the registry brings a service the end of a new channel: one oneway call to the binder that was added. */
import type { OwnedFd } from 'memfd-native'
import { BinderProxy } from '../binder/binder-proxy.ts'
import type { Caller } from '../binder/calling-identity.ts'
import { ATTACH_TRANSACTION } from '../binder/transaction-codes.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { IServiceManager } from './registry-interface.ts'

/** The server's end of a new channel and the client that the registry made it for. */
export interface Attachment {
  readonly client: Caller
  /** Owned by who has the attachment. */
  readonly end: OwnedFd
}

/**
 * Sends the end of a channel to a service; it is closed here in any case. Only an object of another process can get
 * one.
 * @throws as BinderProxy.transact if it cannot be sent
 */
export function sendAttachment(service: IBinder, { client, end }: Attachment, acceptsFileDescriptors: boolean): void {
  const data = Parcel.obtain()
  try {
    data.writeInterfaceToken(IServiceManager.DESCRIPTOR)
    data.writeInt(client.uid | 0)
    data.writeInt(client.pid)
    data.writeInt(acceptsFileDescriptors ? 1 : 0)
    data.writeOwnedFd(end)
    if (service instanceof BinderProxy) service.transactOneway(ATTACH_TRANSACTION, data)
  } finally {
    data.recycle() // and with it the end
  }
}

/** @throws ERR_SECURITY, ERR_BAD_PARCEL */
export function readAttachment(data: Parcel): Attachment {
  data.enforceInterface(IServiceManager.DESCRIPTOR)
  const uid = data.readInt() >>> 0
  const pid = data.readInt()
  data.readInt() // whether it accepts descriptors: the binder itself knows
  return { client: { pid, uid }, end: data.takeOwnedFd() }
}
