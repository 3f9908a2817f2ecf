/** Whom the hub tells, and of what. */
import type { Buffer } from 'node:buffer'
import process from 'node:process'
import type { Credentials } from './binding.ts'
import type { OwnedFd } from './owned-fd.ts'
import type { ReceivedPacket } from './received-packet.ts'

/** The callbacks of a socket in the hub. */
export interface PacketHandler {
  /** One packet. Its bytes are valid until this call returns. Its descriptors belong to the handler. */
  onPacket(packet: ReceivedPacket): void
  /** No more packets will come: end-of-file (0) or an errno (positive). The socket stays open until `close()`. */
  onEnd(errno: number): void
  /** The socket can send again. Called only while `setInterest` asks for it. */
  onWritable(): void
  /**
   * A packet of `sendLater()` could not be sent; the argument is a negative errno, -EAGAIN if the peer does not accept
   * more now. Packets that were sent after it fail too; of several, the last one is reported first.
   * @param bytes the bytes of the packet, which belong to the handler
   */
  onUnsent?(bytes: Buffer, errno: number): void
}

/** The callbacks that get packets early: see `HubSocket.takeIn`. */
export type PacketTaker = Pick<PacketHandler, 'onPacket' | 'onEnd'>

/** How connections of a user are refused. */
export interface Refusal {
  /**
   * Sent to each connection as one packet before it is closed. At most 65,536 bytes, and the same for all users that
   * are refused at the same time.
   */
  readonly farewell: Uint8Array
  /** How long to refuse this user, in milliseconds from now on. */
  readonly milliseconds: number
}

/** The callbacks of a listener in the hub. */
export interface ConnectionHandler {
  /**
   * Decides about a connection of this user that was just accepted. Return null to take it. Otherwise it is refused,
   * and so are all other connections of this user for a while, without asking you again. This is much cheaper than
   * `onConnection` and `close()`. Clients that have gone before they were accepted are not reported.
   */
  refuse?(uid: number): Refusal | null
  /**
   * A connection was accepted. The handler owns its descriptor. The credentials come from SO_PEERCRED; null if the
   * kernel gave none.
   */
  onConnection(fd: OwnedFd, credentials: Credentials | null): void
  /**
   * accept(2) failed (EMFILE, ENFILE, ENOMEM). The listener stays readable: pause it, or this is called again at once.
   */
  onAcceptFailed(errno: number): void
}

/** As it is now: fake timers of a program's tests may replace it. */
const { nextTick } = process

/** An error of a handler must not affect others: it becomes an uncaught exception, after the current work. */
export function throwLater(error: unknown): void {
  nextTick(() => {
    throw error
  })
}
