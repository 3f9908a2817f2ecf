/** The hub's sockets, one by one. */

import { argumentError, checkInstance, checkList, checkNumber, checkObject, typeProblem } from './argument.ts'
import { type NativeHub, unwrap } from './binding.ts'
import type { DeferredPackets } from './deferred-packets.ts'
import type { ConnectionHandler, PacketHandler, PacketTaker } from './handlers.ts'
import { HubGroup } from './hub-group.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { type Fd, fdNumber, NO_FDS, type OwnedFd } from './owned-fd.ts'
import type { Slots } from './slots.ts'
import { typeName } from './typed-array.ts'

/** What all sockets of a hub have in common. */
export interface HubParts {
  readonly native: NativeHub
  readonly slots: Slots
  readonly deferred: DeferredPackets
  readonly outgoingFds: Int32Array
  readonly takeIn: (slot: number, taker: PacketTaker, limit: number) => void
}

/** A connected packet socket in the hub. Owns its descriptor until `close()`. */
export class HubSocket {
  /** The handler that was given to `attach`. */
  readonly handler: PacketHandler
  readonly #parts: HubParts
  #slot: number

  /** @internal By Hub.attach(). */
  constructor(parts: HubParts, slot: number, handler: PacketHandler) {
    this.#parts = parts
    this.#slot = slot
    this.handler = handler
    keepFromCloning(this)
  }

  /** @internal The slot of one that is to be sent to; negative after `close()`. @throws TypeError (ERR_INVALID_ARG_TYPE) */
  static slotOf(socket: HubSocket | undefined): number {
    if (typeof socket !== 'object' || socket === null || !(#slot in socket)) throw noSocket()
    return socket.#slot
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: this.isClosed ? 'closed' : 'open' })
  }

  /** True after `close()`. */
  get isClosed(): boolean {
    return this.#slot < 0
  }

  /**
   * Sends the first `length` bytes of the hub's `outgoing` as one packet. It never blocks (sendmsg(2), MSG_DONTWAIT).
   * @param fds at most 253; they stay yours, because the kernel takes references of its own.
   * @returns the length, or a negative errno: -EAGAIN if the peer does not accept more now.
   * @throws TypeError (ERR_INVALID_ARG_TYPE), RangeError (ERR_OUT_OF_RANGE) if one of `fds` is not a descriptor. Then
   *   nothing is sent
   */
  send(length: number, fds: readonly Fd[] = NO_FDS): number {
    checkList('fds', fds)
    const { length: count } = fds
    const { native, deferred, outgoingFds } = this.#parts
    for (let i = 0; i < count; i++) outgoingFds[i] = checkedNumber(fds[i] as Fd)
    deferred.flush()
    return native.send(this.#slot, length, count)
  }

  /**
   * Like `send()` without descriptors. After the first `length` bytes of `outgoing` the packet contains all of `rest`,
   * which is sent without a copy. You can reuse it when this returns.
   * @throws TypeError (ERR_INVALID_ARG_TYPE) if `rest` is not a Uint8Array. Then nothing is sent
   */
  sendWith(length: number, rest: Uint8Array): number {
    if (typeName(rest) !== 'Uint8Array') throw typeProblem('rest must be a Uint8Array')
    const { native, deferred } = this.#parts
    deferred.flush()
    return native.sendWith(this.#slot, length, rest)
  }

  /**
   * Like `send()` without descriptors, but a packet of up to 512 bytes is sent at the end of the batch, together with
   * those of other sockets. This costs less than waking each peer separately. It is sent earlier if the hub sends or
   * closes anything else, or if the handlers are slow. Outside a handler it is sent at once.
   * @returns the length, or a negative errno; later failures are reported by `onUnsent`
   */
  sendLater(length: number): number {
    return this.#parts.deferred.add(this.#slot, length) ? length : this.send(length)
  }

  /**
   * Receives the packets that have arrived, without waiting for the event loop. `taker` gets them in order instead of
   * the handler, also those that the hub has received but not delivered yet. The handler gets later ones. Use it if you
   * must know now, in the middle of a function.
   * @param limit at most this many packets; the handler gets the others
   */
  takeIn(taker: PacketTaker, limit: number): void {
    checkNumber('limit', limit)
    if (this.#slot >= 0) this.#parts.takeIn(this.#slot, taker, limit)
  }

  /**
   * Which events to wait for. At first reading is on and writing is off. A socket that has ended has no more events.
   */
  setInterest(interest: { readable: boolean; writable: boolean }): void {
    checkObject('interest', interest)
    const { readable, writable } = interest
    this.#parts.native.interest(this.#slot, readable ? 1 : 0, writable ? 1 : 0)
  }

  /**
   * Moves the socket to this group; it is in one group only.
   * @throws SyscallError EBADF if it is closed
   */
  join(group: HubGroup): void {
    checkInstance('group', group, HubGroup)
    unwrap('epoll_ctl', this.#parts.native.join(this.#slot, group.number))
  }

  /** From now on packets have no credentials, which is cheaper for both sides. SO_PASSCRED, unix(7) */
  stopCredentials(): void {
    unwrap('setsockopt', this.#parts.native.stopCredentials(this.#slot))
  }

  /**
   * Gives the socket another descriptor number, the first free one from `lowest` up. A process that dies closes its
   * descriptors from the highest number down. The kernel may need milliseconds to enlarge its table. fcntl(2),
   * F_DUPFD_CLOEXEC
   * @throws SyscallError EINVAL or EMFILE if such a high number is not allowed; then the socket keeps its number
   */
  renumber(lowest: number): void {
    unwrap('fcntl', this.#parts.native.renumber(this.#slot, lowest))
  }

  /**
   * Raises the number of unread bytes that the kernel keeps for the peer to `bytes`, at most net.core.wmem_max; it is
   * never lowered. SO_SNDBUF, socket(7)
   * @throws SyscallError EBADF if it is closed
   */
  widenSendBuffer(bytes: number): void {
    unwrap('setsockopt', this.#parts.native.widenSendBuffer(this.#slot, bytes))
  }

  /** How much the peer has not read: see the function `unreadBytes`. */
  unreadBytes(): number {
    return unwrap('ioctl', this.#parts.native.unread(this.#slot))
  }

  /**
   * Whether the peer has closed its end, or shut it down for sending. The kernel knows it before the handler gets
   * `onEnd`, which waits for its turn and for the packets before it. POLLRDHUP, poll(2)
   * @throws SyscallError EBADF if it is closed
   */
  get hasHungUp(): boolean {
    return unwrap('poll', this.#parts.native.hasHungUp(this.#slot)) !== 0
  }

  /**
   * Leaves the hub like `close()`, but you own the descriptor.
   * @throws SyscallError EBADF if it is closed
   */
  detach(): OwnedFd {
    this.#parts.deferred.flush()
    const fd = this.#parts.slots.detach(this.#slot)
    this.#slot = -1
    return fd
  }

  /** Leaves the hub and closes the descriptor. Idempotent. Packets of the same batch are not delivered any more. */
  close(): void {
    if (this.#slot < 0) return
    this.#parts.deferred.flush()
    this.#parts.slots.remove(this.#slot)
    this.#slot = -1
  }
}

/** A listening packet socket in the hub. Owns its descriptor until `close()`. */
export class HubListener {
  /** The handler that was given to `listen`. */
  readonly handler: ConnectionHandler
  readonly #parts: HubParts
  #slot: number

  /** @internal By Hub.listen(). */
  constructor(parts: HubParts, slot: number, handler: ConnectionHandler) {
    this.#parts = parts
    this.#slot = slot
    this.handler = handler
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: this.isClosed ? 'closed' : 'open' })
  }

  /** True after `close()`. */
  get isClosed(): boolean {
    return this.#slot < 0
  }

  /** Stops or continues accepting. Meanwhile connections wait in the kernel's backlog. */
  setPaused(paused: boolean): void {
    this.#parts.native.interest(this.#slot, paused ? 0 : 1, 0)
  }

  /** Leaves the hub and closes the descriptor. Idempotent. */
  close(): void {
    if (this.#slot < 0) return
    this.#parts.deferred.flush()
    this.#parts.slots.remove(this.#slot)
    this.#slot = -1
  }
}

/** Something that is not a number would become 0 in the array, which is a valid descriptor. */
function checkedNumber(fd: Fd): number {
  const number = fdNumber(fd)
  if (typeof number !== 'number') throw typeProblem('fds must be descriptors')
  if (number === (number | 0)) return number
  throw argumentError(RangeError, 'ERR_OUT_OF_RANGE', 'a descriptor must be an integer from 0 to 2147483647')
}

function noSocket(): Error {
  return typeProblem('sockets must be sockets of the hub')
}
