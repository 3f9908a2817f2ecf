/** One oneway call to objects behind many channels: one packet, and one call into native code that sends it to all. */
import { errnos, Hub, MAX_PACKET_BYTES } from 'memfd-native'
import type { Channel } from './channel.ts'
import { HEADER_BYTES, KIND_TRANSACTION, OBJECT_OFFSET } from './message.ts'
import { type OutgoingBody, writeMessage } from './outgoing-body.ts'

/** The object behind a channel that is to be called. */
export interface BroadcastTarget {
  /** Nothing waits here, so a packet that is sent now cannot overtake another one. */
  readonly channel: Channel
  /** Its number in the peer's table. */
  readonly object: number
}

/** Whether a body fits into the one packet of a broadcast. It carries neither descriptors nor binders. */
export function mayBroadcast(body: OutgoingBody): boolean {
  return body.objects.length === 0 && HEADER_BYTES + body.size <= MAX_PACKET_BYTES
}

/** @param onFull called for each target whose peer does not accept more now; nothing was sent to it */
export function broadcast<T extends BroadcastTarget>(
  targets: readonly T[],
  code: number,
  body: OutgoingBody,
  onFull: (target: T) => void,
): void {
  const hub = Hub.current()
  body.copyTo(hub.outgoing, HEADER_BYTES)
  const envelope = { kind: KIND_TRANSACTION, id: 0, object: 0, code, oneway: true }
  writeMessage(hub.outgoing, 0, envelope, body, body.size)
  const sockets = targets.map(({ channel }) => channel.socket)
  const word = { at: OBJECT_OFFSET, values: targets.map(({ object }) => object) }
  hub.broadcast(sockets, HEADER_BYTES + body.size, word, (index, errno) => {
    const target = targets[index] as T
    if (errno === errnos.EAGAIN) onFull(target)
    else target.channel.onSendFailed(errno)
  })
}
