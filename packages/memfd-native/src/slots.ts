/** What native code polls, by its number there: whom each socket and each listener was made for. */
import { type NativeHub, unwrap } from './binding.ts'
import type { ConnectionHandler, PacketHandler } from './handlers.ts'
import { connectionHandlerInContext, packetHandlerInContext } from './handlers-in-context.ts'
import { type OwnedFd, ownResult } from './owned-fd.ts'

/** Of a socket in the hub. */
export interface AttachOptions {
  /** Whether descriptors may come; where not, a packet that brings some is cut (MSG_CTRUNC), and they are closed. */
  readonly acceptsFileDescriptors: boolean
  /**
   * The last 24 numbers of the process (RLIMIT_NOFILE; an eighth, where few are allowed) are for what comes by this socket.
   * Default: they are not, and descriptors that would take one are closed (MSG_CTRUNC).
   */
  readonly usesReserve?: boolean
  /** The handler runs in no async context. Default: in the one in which it was attached, which costs each packet a little. */
  readonly inNoContext?: boolean
}

/** Of a listener in the hub. */
export interface ListenOptions {
  /** As of a socket: each connection costs a little less. */
  readonly inNoContext?: boolean
}

/** Handlers by slot. */
export class Slots {
  readonly #native: NativeHub
  readonly #sockets: (PacketHandler | undefined)[] = []
  readonly #listeners: (ConnectionHandler | undefined)[] = []

  constructor(native: NativeHub) {
    this.#native = native
  }

  /** Native code owns the descriptor from here on, also if this throws. */
  addSocket(
    fd: OwnedFd,
    handler: PacketHandler,
    { acceptsFileDescriptors, usesReserve = false, inNoContext = false }: AttachOptions,
  ): number {
    const taking = acceptsFileDescriptors ? 1 + Number(usesReserve) : 0
    const slot = unwrap('epoll_ctl', this.#native.add(fd.release(), 0, taking))
    this.#sockets[slot] = inNoContext ? handler : packetHandlerInContext(handler)
    return slot
  }

  /** Likewise. */
  addListener(fd: OwnedFd, handler: ConnectionHandler, { inNoContext = false }: ListenOptions): number {
    const slot = unwrap('epoll_ctl', this.#native.add(fd.release(), 1, 0))
    this.#listeners[slot] = inNoContext ? handler : connectionHandlerInContext(handler)
    return slot
  }

  /** Undefined: it has been closed. */
  socket(slot: number): PacketHandler | undefined {
    return this.#sockets[slot]
  }

  /** Likewise. */
  listener(slot: number): ConnectionHandler | undefined {
    return this.#listeners[slot]
  }

  /** Closes the descriptor. */
  remove(slot: number): void {
    this.#forget(slot)
    this.#native.remove(slot)
  }

  /** The descriptor is the caller's. @throws SyscallError EBADF it is closed */
  detach(slot: number): OwnedFd {
    this.#forget(slot)
    return ownResult('fcntl', this.#native.detach(slot))
  }

  #forget(slot: number): void {
    this.#sockets[slot] = undefined
    this.#listeners[slot] = undefined
  }
}
