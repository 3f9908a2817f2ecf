/** The two kinds of channel that a daemon serves, as raw ends. */
import { DEFAULT_SERVICE_NAME, Parcel } from '@memsvc/shared'
import { IServiceManager } from '@memsvc/shared/internal'
import { RawPeer, wire } from '@memsvc/shared/test-support'
import { connect, constants, type OwnedFd, socket } from 'memfd-native'
import type { Test } from 'tap'

/** A connection to the registry that has said nothing yet. */
export function openConnection(t: Test, registry: string): RawPeer {
  const fd = socket(constants.SOCK_SEQPACKET)
  const peer = new RawPeer(t, fd)
  connect(fd, registry)
  return peer
}

/** The client's end of a channel to the memory service that has said nothing yet. */
export async function openServiceEnd(t: Test, registry: string): Promise<OwnedFd> {
  const connection = openConnection(t, registry)
  connection.sendHello()
  connection.send(request(IServiceManager.DESCRIPTOR, IServiceManager.TRANSACTION_getService, DEFAULT_SERVICE_NAME))
  const answer = await connection.receive()
  connection.close()
  const [end] = answer?.fds ?? []
  if (end === undefined) throw new Error('the registry answered no channel')
  return end
}

export async function openServiceChannel(t: Test, registry: string): Promise<RawPeer> {
  return new RawPeer(t, await openServiceEnd(t, registry))
}

/** A call of object 0, with id 1: the interface's token and, if there is one, a string. */
export function request(descriptor: string, code: number, argument?: string): Buffer {
  return wire.message({ kind: wire.TRANSACTION, id: 1, code }, requestBody(descriptor, argument))
}

export function requestBody(descriptor: string, argument?: string): Buffer {
  const data = Parcel.obtain()
  data.writeInterfaceToken(descriptor)
  if (argument !== undefined) data.writeString(argument)
  const bytes = data.marshall()
  data.recycle()
  return bytes
}
