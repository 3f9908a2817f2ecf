/** The sockets and listeners that native code polls, by their numbers there. */
import { type NativeHub, unwrap } from './binding.ts'
import type { ConnectionHandler, PacketHandler } from './handlers.ts'
import { connectionHandlerInContext, packetHandlerInContext } from './handlers-in-context.ts'
import { type OwnedFd, ownResult } from './owned-fd.ts'

/** Options of a socket in the hub. */
export interface AttachOptions {
  /**
   * Whether packets may carry descriptors. If not, the descriptors of a packet are closed, and it has the flag
   * MSG_CTRUNC.
   */
  readonly acceptsFileDescriptors: boolean
  /**
   * Whether descriptors of this socket may use the last 24 descriptor numbers of the process (or the last eighth, if
   * few are allowed). By default they may not, and descriptors that would need one are closed (MSG_CTRUNC).
   */
  readonly usesReserve?: boolean
  /**
   * Whether the handler runs outside any async context. By default it runs in the context in which it was attached,
   * which costs a little for each packet.
   */
  readonly inNoContext?: boolean
}

/** Options of a listener in the hub. */
export interface ListenOptions {
  /** As in AttachOptions: with true, each connection costs a little less. */
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
