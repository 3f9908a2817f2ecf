/** The hub's sockets, one by one, and what it tells whom each was attached for. */
import { type Credentials, type NativeHub, unwrap } from './binding.ts'
import type { Hub } from './hub.ts'
import type { HubGroup } from './hub-group.ts'
import { type Fd, fdNumber, type OwnedFd } from './owned-fd.ts'

/** Descriptors of one packet: SCM_MAX_FD of the kernel. */
export const MAX_PACKET_FDS = 253

const NO_FDS: readonly Fd[] = Object.freeze([])

/** What a socket in the hub tells its user. */
export interface PacketHandler {
  /**
   * One packet.
   * @param bytes the hub's memory; the packet is bytes [start, end). Borrowed until this call returns.
   * @param fds owned by the handler from here on.
   * @param flags MSG_TRUNC and MSG_CTRUNC as recvmsg(2) reported them.
   * @param credentials of the sender, where SO_PASSCRED is on.
   */
  onPacket(
    bytes: Buffer,
    start: number,
    end: number,
    fds: readonly OwnedFd[],
    flags: number,
    credentials: Credentials | null,
  ): void
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

/** What a listener in the hub tells its user. */
export interface ConnectionHandler {
  /**
   * A connection of this user has been accepted, and nobody owns it yet: null takes it, bytes are sent to it as one packet
   * before it is closed at once. Cheaper than `onConnection` and `close()`, for those of whom there are too many.
   */
  refuse?(uid: number): Uint8Array | null
  /** A connection was accepted: the handler owns its descriptor. Credentials by SO_PEERCRED, null if the kernel gave none. */
  onConnection(fd: OwnedFd, credentials: Credentials | null): void
  /** accept(2) failed (EMFILE, ENFILE, ENOMEM). The listener stays readable: pause it, or this comes again at once. */
  onAcceptFailed(errno: number): void
}

/** A connected packet socket in the hub. Owns its descriptor until `close()`. */
export class HubSocket {
  /** Whom it was attached for. */
  readonly handler: PacketHandler
  readonly #hub: Hub
  readonly #native: NativeHub
  readonly #outgoingFds: Int32Array
  #slot: number

  /** @internal By Hub.attach(). */
  constructor(hub: Hub, native: NativeHub, slot: number, handler: PacketHandler, outgoingFds: Int32Array) {
    this.#hub = hub
    this.#native = native
    this.#slot = slot
    this.handler = handler
    this.#outgoingFds = outgoingFds
  }

  /** @internal Its place in the hub; negative after `close()`. */
  get slot(): number {
    return this.#slot
  }

  /** True after `close()`. */
  get isClosed(): boolean {
    return this.#slot < 0
  }

  /**
   * Sends the first `length` bytes of the hub's `outgoing` as one packet, never blocking (sendmsg(2), MSG_DONTWAIT).
   * @param fds at most 253, borrowed: the kernel takes its own references.
   * @returns the length, or a negative errno: -EAGAIN when the peer does not take any more now.
   */
  send(length: number, fds: readonly Fd[] = NO_FDS): number {
    if (fds.length > MAX_PACKET_FDS) return -22
    this.#hub.flush()
    for (let i = 0; i < fds.length; i++) this.#outgoingFds[i] = fdNumber(fds[i] as Fd)
    return this.#native.send(this.#slot, 0, length, fds.length)
  }

  /**
   * As `send()` without descriptors, but a short packet (512 bytes) is sent at the end of this batch, together with those
   * of other sockets: to send takes less than to wake each peer by itself. It leaves earlier when the hub sends or closes
   * anything else, and when the handlers are slow. Outside of `onPacket` and the like it is sent at once.
   * @returns the length, or a negative errno; what goes wrong later is told by `onUnsent`
   */
  sendLater(length: number): number {
    return this.#hub.defer(this.#slot, length) ? length : this.send(length)
  }

  /** What to be woken for. Reading is on and writing off at first. A socket that has ended is asked for nothing more. */
  setInterest(interest: { readable: boolean; writable: boolean }): void {
    this.#native.interest(this.#slot, Number(interest.readable), Number(interest.writable))
  }

  /** Belongs to this group from here on, and to no other. @throws SyscallError EBADF it is closed */
  join(group: HubGroup): void {
    unwrap('epoll_ctl', this.#native.join(this.#slot, group.number))
  }

  /** From now on packets do not tell who sent them, which spares both sides the cost. SO_PASSCRED, unix(7) */
  stopCredentials(): void {
    unwrap('setsockopt', this.#native.stopCredentials(this.#slot))
  }

  /**
   * Gives the socket another number, the first that is free from `lowest` up: a process that dies closes its descriptors
   * from the highest number down. To make the kernel's table so large may take it milliseconds. fcntl(2), F_DUPFD_CLOEXEC
   * @throws SyscallError EINVAL, EMFILE so high a number is not allowed here: the socket keeps the one it has
   */
  renumber(lowest: number): void {
    unwrap('fcntl', this.#native.renumber(this.#slot, lowest))
  }

  /** What the peer has not read: see `unreadBytes`. */
  unreadBytes(): number {
    return unwrap('ioctl', this.#native.unread(this.#slot))
  }

  /** Leaves the hub as by `close()`, but the descriptor is the caller's. @throws SyscallError EBADF it is closed */
  detach(): OwnedFd {
    const fd = this.#hub.detach(this.#slot)
    this.#slot = -1
    return fd
  }

  /** Leaves the hub and closes the descriptor. Idempotent. Packets of the same batch do not arrive any more. */
  close(): void {
    if (this.#slot < 0) return
    this.#hub.remove(this.#slot)
    this.#slot = -1
  }
}

/** A listening packet socket in the hub. Owns its descriptor until `close()`. */
export class HubListener {
  /** Whom it was made for. */
  readonly handler: ConnectionHandler
  readonly #hub: Hub
  readonly #native: NativeHub
  #slot: number

  /** @internal By Hub.listen(). */
  constructor(hub: Hub, native: NativeHub, slot: number, handler: ConnectionHandler) {
    this.#hub = hub
    this.#native = native
    this.#slot = slot
    this.handler = handler
  }

  /** True after `close()`. */
  get isClosed(): boolean {
    return this.#slot < 0
  }

  /** Stops or goes on accepting; connections wait in the kernel's backlog meanwhile. */
  setPaused(paused: boolean): void {
    this.#native.interest(this.#slot, Number(!paused), 0)
  }

  /** Leaves the hub and closes the descriptor. Idempotent. */
  close(): void {
    if (this.#slot < 0) return
    this.#hub.remove(this.#slot)
    this.#slot = -1
  }
}
