/** Descriptors with their status channels, before they become ParcelFileDescriptors. */
import { constants, type OwnedFd, setNonBlocking, socketpair } from 'memfd-native'
import { listenForClose, type OnClose } from './close-listener.ts'
import { CommChannel } from './comm-channel.ts'
import { type FileDescriptor, wrapOwnedFd } from './file-descriptor.ts'
import type { DescriptorSource } from './parcel-port.ts'

/** A descriptor and its end of a status channel; null if it has no status channel. */
export type DescriptorEnd = [fd: FileDescriptor, comm: FileDescriptor | null]

/** What travels of an end: int hasComm, its descriptor, and that of the status channel when there is one. */
export function readEnd(parcel: DescriptorSource, next: (parcel: DescriptorSource) => OwnedFd): DescriptorEnd {
  const hasComm = parcel.readInt() !== 0
  const fd = wrapOwnedFd(next(parcel))
  try {
    return [fd, hasComm ? wrapOwnedFd(next(parcel)) : null]
  } catch (error) {
    fd.close()
    throw error
  }
}

/** Takes ownership of `owned`. */
export function plainEnd(owned: OwnedFd): DescriptorEnd {
  return [wrapOwnedFd(owned), null]
}

/** Joins the two ends of a pipe or socket pair by a status channel. Takes ownership of both, also when it fails. */
export function reliableEnds([one, other]: [OwnedFd, OwnedFd]): [DescriptorEnd, DescriptorEnd] {
  const [commOfOne, commOfOther] = commPairOrClose(one, other)
  return [
    [wrapOwnedFd(one), commOfOne],
    [wrapOwnedFd(other), commOfOther],
  ]
}

/** An end whose other side is the listener. Takes ownership of `owned`, also when it fails. */
export function listenedEnd(owned: OwnedFd, onClose: OnClose): DescriptorEnd {
  try {
    return [wrapOwnedFd(owned), listenedComm(onClose)]
  } catch (error) {
    owned.close()
    throw error
  }
}

/** The end of a status channel whose other side is the listener. */
export function listenedComm(onClose: OnClose): FileDescriptor {
  const [comm, listener] = CommChannel.pair()
  try {
    listenForClose(listener, onClose)
    return comm
  } catch (error) {
    for (const fd of [comm, listener]) fd.close()
    throw error
  }
}

/** Two connected SOCK_STREAM sockets that block, as Android's do: the AutoClose streams read and write them as they are. */
export function blockingSocketPair(): [OwnedFd, OwnedFd] {
  const pair = socketpair(constants.SOCK_STREAM)
  for (const end of pair) setNonBlocking(end, false)
  return pair
}

function commPairOrClose(...owned: OwnedFd[]): [FileDescriptor, FileDescriptor] {
  try {
    return CommChannel.pair()
  } catch (error) {
    for (const fd of owned) fd.close()
    throw error
  }
}
