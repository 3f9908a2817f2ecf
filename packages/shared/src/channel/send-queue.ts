/**
 * Sends packets to the kernel directly, and keeps them here, in order and limited, if the peer does not read. Sending
 * does not take over descriptors; only a packet that must wait holds duplicates.
 */

import { Buffer } from 'node:buffer'
import { dup, errnos, type Fd, fdNumber, type Hub, type HubSocket, type OwnedFd } from 'memfd-native'
import { NO_FDS } from '../util/empty-lists.ts'
import { LimitError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { clearTimeout, now, setTimeout } from '../util/timers.ts'
import { limitPacket } from './failure.ts'
import type { ChannelBudget, HeldBytes } from './held-bytes.ts'
import { InFlight } from './in-flight.ts'
import { CHANNEL_LIMITS } from './limits.ts'
import { KIND_REPLY, readHeader } from './message.ts'

const { EAGAIN, ETOOMANYREFS } = errnos
/** No event tells when others have read the descriptors that are too many, or this peer its own. Look again, in ms. */
const RETRY_MS = 10
/**
 * The send buffer of a socket for long packets. With it the kernel reports free room while one of them is still unread.
 * It is the largest size without privileges.
 */
const WIDE_BYTES = 212_992

interface WaitingPacket {
  readonly bytes: Buffer
  readonly fds: readonly OwnedFd[]
}

/** Whom the queue tells. */
export interface WaitingOwner {
  /** Whether something waits may have changed. */
  onWaiting(): void
}

export class SendQueue {
  readonly #hub: Hub
  readonly #socket: HubSocket
  readonly #owner: WaitingOwner
  readonly #waiting: WaitingPacket[] = []
  #queuedBytes = 0
  #queuedFds = 0
  /** The hub tells when the socket is writable. */
  #awaitsRoom = false
  #retry: NodeJS.Timeout | undefined
  /** Why the first packet may not go yet, and since when. */
  #refusal: { readonly limit: LimitError; readonly since: number } | null = null
  readonly #held: HeldBytes
  /** null: no descriptor was sent yet. */
  #inFlight: InFlight | null = null
  #budget: ChannelBudget | undefined
  /** The kernel takes more than is usual. */
  #isWide = false

  /** @param held what waits is a part of it */
  constructor(owner: WaitingOwner, hub: Hub, socket: HubSocket, held: HeldBytes) {
    this.#owner = owner
    this.#hub = hub
    this.#socket = socket
    this.#held = held
  }

  /** Descriptors that wait, here or for the peer to read. Before anything does. */
  chargeTo(budget: ChannelBudget): void {
    this.#budget = budget
  }

  get isWaiting(): boolean {
    return this.#queuedBytes > 0
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Whether a message with so many descriptors may be sent now. @throws LimitError */
  checkRoom(fdCount: number): void {
    if (this.#queuedBytes === 0 && fdCount === 0) return // as nearly always
    // A message is let in while there is room for anything: a long parcel must pass an empty queue whole.
    const { queuedBytes, queuedDescriptors } = CHANNEL_LIMITS
    if (this.#queuedBytes >= queuedBytes.limit) throw limitError(queuedBytes, this.#queuedBytes)
    const fds = this.#queuedFds + fdCount
    if (fds > queuedDescriptors.limit) throw limitError(queuedDescriptors, fds)
  }

  /**
   * Sends the first `length` of the hub's outgoing bytes, or queues them.
   * @param atEndOfBatch it may be sent then; if that fails, the hub returns it: `requeue`
   * @returns a negative errno if the socket is broken
   * @throws SyscallError EMFILE, or LimitError of the budget, if it cannot wait with its descriptors; then it was not
   *   sent
   */
  send(length: number, fds: readonly Fd[] = NO_FDS, atEndOfBatch = false): number {
    if (this.#queuedBytes === 0) {
      const result = atEndOfBatch && fds.length === 0 ? this.#socket.sendLater(length) : this.#trySend(length, fds)
      if (result !== EAGAIN) return result
    }
    this.#wait(length, fds)
    return 0
  }

  /** As `send`, with these bytes behind the outgoing ones: they are copied only if they have to wait. */
  sendWith(length: number, rest: Uint8Array): number {
    if (!this.#isWide) this.#widen()
    if (this.#queuedBytes === 0) {
      const result = this.#socket.sendWith(length, rest)
      if (result !== EAGAIN) return result
    }
    this.#hub.outgoing.set(rest, length)
    this.#wait(length + rest.length, NO_FDS)
    return 0
  }

  /** A packet that was to leave at the end of the batch did not: it waits before all others. @throws LimitError of the budget */
  requeue(bytes: Buffer): void {
    this.#held.add(bytes.length)
    this.#waiting.unshift({ bytes, fds: [] })
    this.#queuedBytes += bytes.length
    this.#updateInterest()
  }

  /**
   * Sends the waiting packets, as many as the kernel accepts.
   * @returns a negative errno if the socket is broken
   */
  flush(): number {
    const result = this.#flush()
    this.#updateInterest()
    return result
  }

  /** The channel is over. Takes the socket over if its peer has descriptors unread; otherwise it is to be closed next. */
  close(): void {
    this.#drop()
    this.#inFlight?.close()
  }

  /** Drops what waits and closes its descriptors. */
  drop(): void {
    this.#drop()
    this.#updateInterest()
  }

  #flush(): number {
    for (;;) {
      const packet = this.#waiting[0]
      if (packet === undefined) return 0
      packet.bytes.copy(this.#hub.outgoing)
      const result = this.#trySend(packet.bytes.length, packet.fds)
      if (result === EAGAIN && this.#refuseFirst()) continue
      if (result === EAGAIN) return 0
      if (result < 0) return result
      this.#forget()
    }
  }

  /**
   * An answer with descriptors may have to wait until other processes of the same user have read theirs. The caller
   * would wait without a reason, so after a while it gets ERR_LIMIT instead of the answer.
   */
  #refuseFirst(): boolean {
    const [packet, refusal] = [this.#waiting[0], this.#refusal]
    if (packet === undefined || refusal === null || this.#inFlight?.isRead !== true) return false
    if (now() - refusal.since < CHANNEL_LIMITS.descriptorWait.limit) return false
    const { kind, id, objectCount } = readHeader(packet.bytes, 0, packet.bytes.length)
    // A binder that does not arrive would have to be taken back.
    if (kind !== KIND_REPLY || objectCount !== packet.fds.length) return false
    const bytes = limitPacket(id, refusal.limit)
    try {
      this.#held.add(bytes.length)
    } catch (error) {
      if (error instanceof LimitError) return false
      throw error
    }
    this.#forget()
    this.#waiting.unshift({ bytes, fds: [] })
    this.#queuedBytes += bytes.length
    return true
  }

  #drop(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    while (this.#waiting.length > 0) this.#forget()
  }

  /** Waiting packets are sent as soon as the socket is writable, unless a timer does it. */
  #updateInterest(): void {
    this.#owner.onWaiting()
    const awaitsRoom = this.isWaiting && this.#retry === undefined
    if (awaitsRoom === this.#awaitsRoom) return
    this.#awaitsRoom = awaitsRoom
    this.#socket.setInterest({ readable: true, writable: awaitsRoom })
  }

  #forget(): void {
    const packet = this.#waiting.shift()
    if (packet === undefined) return
    this.#refusal = null
    for (const fd of packet.fds) fd.close()
    this.#queuedBytes -= packet.bytes.length
    this.#queuedFds -= packet.fds.length
    this.#held.remove(packet.bytes.length)
    if (packet.fds.length > 0) this.#budget?.refund('heldDescriptors', packet.fds.length)
  }

  /** Not before it is needed: the next send reports a socket that was closed meanwhile. */
  #widen(): void {
    this.#isWide = true
    if (!this.#socket.isClosed) this.#socket.widenSendBuffer(WIDE_BYTES)
  }

  #wait(length: number, fds: readonly Fd[]): void {
    this.#waiting.push(this.#keep(length, fds))
    this.#queuedBytes += length
    this.#queuedFds += fds.length
    this.#updateInterest()
  }

  /** A copy of the packet, paid for. */
  #keep(length: number, fds: readonly Fd[]): WaitingPacket {
    this.#held.add(length)
    try {
      return { fds: this.#keepFds(fds), bytes: Buffer.from(this.#hub.outgoing.subarray(0, length)) }
    } catch (error) {
      this.#held.remove(length)
      throw error
    }
  }

  #keepFds(fds: readonly Fd[]): OwnedFd[] {
    if (fds.length === 0) return []
    this.#budget?.charge('heldDescriptors', fds.length)
    try {
      return dupAll(fds)
    } catch (error) {
      this.#budget?.refund('heldDescriptors', fds.length)
      throw error
    }
  }

  /** @returns EAGAIN: it has to wait, for the socket or for the timer */
  #trySend(length: number, fds: readonly Fd[]): number {
    if (fds.length === 0) return this.#socket.send(length)
    this.#inFlight ??= new InFlight(this.#socket, this.#budget)
    const limit = this.#inFlight.admit(fds.length)
    this.#refusal = limit === null ? null : { limit, since: this.#refusal?.since ?? now() }
    if (limit !== null) return this.#retryLater()
    const result = this.#socket.send(length, fds)
    if (result < 0) this.#inFlight.cancel(fds.length)
    return result === ETOOMANYREFS ? this.#retryLater() : result
  }

  #retryLater(): number {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      this.#socket.handler.onWritable()
    }, RETRY_MS)
    return EAGAIN
  }
}

/** Duplicates of all, or of none. @throws SyscallError EMFILE */
function dupAll(fds: readonly Fd[]): OwnedFd[] {
  const dups: OwnedFd[] = []
  try {
    for (const fd of fds) dups.push(dup(fdNumber(fd)))
    return dups
  } catch (error) {
    for (const fd of dups) fd.close()
    throw error
  }
}
