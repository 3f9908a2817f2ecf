/** Whom the hub tells, and of what. */
import type { Buffer } from 'node:buffer'
import process from 'node:process'
import type { Credentials } from './binding.ts'
import type { OwnedFd } from './owned-fd.ts'
import type { ReceivedPacket } from './received-packet.ts'

/** What a socket in the hub tells its user. */
export interface PacketHandler {
  /** One packet. It is borrowed until this call returns; only its descriptors are the handler's. */
  onPacket(packet: ReceivedPacket): void
  /** No more packets will come: end-of-file (0) or an errno (positive). The socket stays open until `close()`. */
  onEnd(errno: number): void
  /** There is room to send again; only while `setInterest` asks for it. */
  onWritable(): void
  /**
   * A packet of `sendLater()` could not be sent: a negative errno, -EAGAIN when the peer does not take any more now. What
   * was sent after it comes after it. Of several the last is told first.
   * @param bytes the handler's
   */
  onUnsent?(bytes: Buffer, errno: number): void
}

/** Who takes packets in before they are told: see `HubSocket.takeIn`. */
export type PacketTaker = Pick<PacketHandler, 'onPacket' | 'onEnd'>

/** How a user is turned away. */
export interface Refusal {
  /** Sent to each as one packet before it is closed. At most 65,536 bytes; the same for all who are refused at a time. */
  readonly farewell: Uint8Array
  /** For how long, in milliseconds, from now on. */
  readonly milliseconds: number
}

/** What a listener in the hub tells its user. */
export interface ConnectionHandler {
  /**
   * A connection of this user has been accepted, and nobody owns it yet: null takes it, otherwise it is turned away, and
   * with it, for a while, all that come of this user: nobody is asked about them. Much cheaper than `onConnection` and
   * `close()`, for those of whom there are too many. Nobody hears of those who have gone before they were accepted.
   */
  refuse?(uid: number): Refusal | null
  /** A connection was accepted: the handler owns its descriptor. Credentials by SO_PEERCRED, null if the kernel gave none. */
  onConnection(fd: OwnedFd, credentials: Credentials | null): void
  /** accept(2) failed (EMFILE, ENFILE, ENOMEM). The listener stays readable: pause it, or this comes again at once. */
  onAcceptFailed(errno: number): void
}

/** As it is now: fake timers of a program's tests may replace it. */
const { nextTick } = process

/** A handler's fault is nobody else's: it becomes an uncaught exception, after what goes on now. */
export function throwLater(error: unknown): void {
  nextTick(() => {
    throw error
  })
}
