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
  /** Whom it was attached for. */
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
   * Sends the first `length` bytes of the hub's `outgoing` as one packet, never blocking (sendmsg(2), MSG_DONTWAIT).
   * @param fds at most 253, borrowed: the kernel takes its own references.
   * @returns the length, or a negative errno: -EAGAIN when the peer does not take any more now.
   * @throws TypeError (ERR_INVALID_ARG_TYPE), RangeError (ERR_OUT_OF_RANGE) one of `fds` is no descriptor; nothing is sent
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
   * As `send()` without descriptors; behind the first `length` bytes of `outgoing` the packet has all of `rest`, which is sent from where it
   * is: free again when this returns.
   * @throws TypeError (ERR_INVALID_ARG_TYPE) `rest` is no Uint8Array; nothing is sent
   */
  sendWith(length: number, rest: Uint8Array): number {
    if (typeName(rest) !== 'Uint8Array') throw typeProblem('rest must be a Uint8Array')
    const { native, deferred } = this.#parts
    deferred.flush()
    return native.sendWith(this.#slot, length, rest)
  }

  /**
   * As `send()` without descriptors, but a short packet (512 bytes) is sent at the end of this batch, together with those
   * of other sockets: to send takes less than to wake each peer by itself. It leaves earlier when the hub sends or closes
   * anything else, and when the handlers are slow. Outside of `onPacket` and the like it is sent at once.
   * @returns the length, or a negative errno; what goes wrong later is told by `onUnsent`
   */
  sendLater(length: number): number {
    return this.#parts.deferred.add(this.#slot, length) ? length : this.send(length)
  }

  /**
   * Takes in what has come so far, without waiting for the loop: `taker` is told of it in place of the handler, in order, of packets that the
   * hub has received and not told yet too. The handler hears of what comes later. For whoever must know now, in the middle of something.
   * @param limit packets at most; more than that is told as ever
   */
  takeIn(taker: PacketTaker, limit: number): void {
    checkNumber('limit', limit)
    if (this.#slot >= 0) this.#parts.takeIn(this.#slot, taker, limit)
  }

  /** What to be woken for. Reading is on and writing off at first. A socket that has ended is asked for nothing more. */
  setInterest(interest: { readable: boolean; writable: boolean }): void {
    checkObject('interest', interest)
    const { readable, writable } = interest
    this.#parts.native.interest(this.#slot, readable ? 1 : 0, writable ? 1 : 0)
  }

  /** Belongs to this group from here on, and to no other. @throws SyscallError EBADF it is closed */
  join(group: HubGroup): void {
    checkInstance('group', group, HubGroup)
    unwrap('epoll_ctl', this.#parts.native.join(this.#slot, group.number))
  }

  /** From now on packets do not tell who sent them, which spares both sides the cost. SO_PASSCRED, unix(7) */
  stopCredentials(): void {
    unwrap('setsockopt', this.#parts.native.stopCredentials(this.#slot))
  }

  /**
   * Gives the socket another number, the first that is free from `lowest` up: a process that dies closes its descriptors
   * from the highest number down. To make the kernel's table so large may take it milliseconds. fcntl(2), F_DUPFD_CLOEXEC
   * @throws SyscallError EINVAL, EMFILE so high a number is not allowed here: the socket keeps the one it has
   */
  renumber(lowest: number): void {
    unwrap('fcntl', this.#parts.native.renumber(this.#slot, lowest))
  }

  /**
   * How many bytes the kernel takes that the peer has not read, with as many more for its own expense: these, or what it was if that is more,
   * and at most net.core.wmem_max. SO_SNDBUF, socket(7)
   * @throws SyscallError EBADF it is closed
   */
  widenSendBuffer(bytes: number): void {
    unwrap('setsockopt', this.#parts.native.widenSendBuffer(this.#slot, bytes))
  }

  /** What the peer has not read: see `unreadBytes`. */
  unreadBytes(): number {
    return unwrap('ioctl', this.#parts.native.unread(this.#slot))
  }

  /** Leaves the hub as by `close()`, but the descriptor is the caller's. @throws SyscallError EBADF it is closed */
  detach(): OwnedFd {
    this.#parts.deferred.flush()
    const fd = this.#parts.slots.detach(this.#slot)
    this.#slot = -1
    return fd
  }

  /** Leaves the hub and closes the descriptor. Idempotent. Packets of the same batch do not arrive any more. */
  close(): void {
    if (this.#slot < 0) return
    this.#parts.deferred.flush()
    this.#parts.slots.remove(this.#slot)
    this.#slot = -1
  }
}

/** A listening packet socket in the hub. Owns its descriptor until `close()`. */
export class HubListener {
  /** Whom it was made for. */
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

  /** Stops or goes on accepting; connections wait in the kernel's backlog meanwhile. */
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

/** What is no number would become 0 in the array, which is a descriptor. */
function checkedNumber(fd: Fd): number {
  const number = fdNumber(fd)
  if (typeof number !== 'number') throw typeProblem('fds must be descriptors')
  if (number === (number | 0)) return number
  throw argumentError(RangeError, 'ERR_OUT_OF_RANGE', 'a descriptor must be an integer from 0 to 2147483647')
}

function noSocket(): Error {
  return typeProblem('sockets must be sockets of the hub')
}
