/** How the registry brings a service the end of a new channel: one oneway call to the binder that was added. */
import { OwnedFd } from 'memfd-native'
import type { Caller } from '../binder/calling-identity.ts'
import { ATTACH_TRANSACTION, FLAG_ONEWAY } from '../binder/transaction-codes.ts'
import { wrapOwnedFd } from '../os/file-descriptor.ts'
import { readOwner } from '../os/parcel-file-descriptor.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { IServiceManager } from './registry-interface.ts'

/** The server's end of a new channel and the client that the registry made it for. */
export interface Attachment {
  readonly client: Caller
  /** Owned by who has the attachment. */
  readonly end: OwnedFd
}

/** Sends an attachment; the end is closed here in any case. Rejects as BinderProxy.transact when it cannot be sent. */
export async function sendAttachment(service: IBinder, { client, end }: Attachment, takesFds: boolean): Promise<void> {
  const data = Parcel.obtain()
  const descriptor = wrapOwnedFd(end)
  try {
    data.writeInterfaceToken(IServiceManager.DESCRIPTOR)
    data.writeInt(client.uid | 0)
    data.writeInt(client.pid)
    data.writeInt(takesFds ? 1 : 0)
    data.writeFileDescriptor(descriptor)
    await service.transact(ATTACH_TRANSACTION, data, null, FLAG_ONEWAY)
  } finally {
    descriptor.close()
    data.recycle()
  }
}

/** @throws ERR_SECURITY, ERR_BAD_PARCEL */
export function readAttachment(data: Parcel): Attachment {
  data.enforceInterface(IServiceManager.DESCRIPTOR)
  const uid = data.readInt() >>> 0
  const pid = data.readInt()
  data.readInt() // whether it takes descriptors: the binder itself knows
  return { client: { pid, uid }, end: OwnedFd.adopt(readOwner(data).detachFd()) }
}
