/**
 * What goes out: messages become packets, packets go straight to the kernel, and wait here, bounded and in order, when
 * the peer does not read. Sending borrows descriptors; only a packet that has to wait holds duplicates of its own.
 */
import { dup, type Fd, fdNumber, type Hub, type HubSocket, MAX_PACKET_BYTES, type OwnedFd } from 'memfd-native'
import { limitError } from '../util/limit.ts'
import { withWords } from '../util/words.ts'
import type { ChannelBudget, HeldBytes } from './held-bytes.ts'
import { InFlight } from './in-flight.ts'
import { CHANNEL_LIMITS } from './limits.ts'
import { HEADER_BYTES, KIND_CONTINUATION, writeHeader } from './message.ts'
import { type Envelope, OutgoingBody, writeMessage } from './outgoing-body.ts'
import { Pack } from './pack.ts'

const EAGAIN = -11
const ETOOMANYREFS = -109
/** No event tells when others have read the descriptors that are too many, or this peer its own. Look again, in ms. */
const RETRY_MS = 10
/** Messages without a body that a packet holds. */
const BARE_MESSAGES = Math.floor(MAX_PACKET_BYTES / HEADER_BYTES)
const NO_FDS: readonly Fd[] = Object.freeze([])

interface WaitingPacket {
  readonly bytes: Buffer
  readonly fds: readonly OwnedFd[]
}

export class Outbox {
  readonly #hub: Hub
  readonly #socket: HubSocket
  readonly #waiting: WaitingPacket[] = []
  /** Messages that wait for `flushPack`, if any do. */
  #pack: Pack | null = null
  #queuedBytes = 0
  #queuedFds = 0
  #retry: NodeJS.Timeout | undefined
  readonly #held: HeldBytes
  readonly #inFlight: InFlight
  #budget: ChannelBudget | undefined

  /** @param held what waits is a part of it */
  constructor(hub: Hub, socket: HubSocket, held: HeldBytes) {
    this.#hub = hub
    withWords(hub.outgoing)
    this.#socket = socket
    this.#held = held
    this.#inFlight = new InFlight(socket)
  }

  /** Descriptors that wait, here or for the peer to read. Before anything does. */
  chargeTo(budget: ChannelBudget): void {
    this.#budget = budget
    this.#inFlight.chargeTo(budget)
  }

  get isWaiting(): boolean {
    return this.#queuedBytes > 0
  }

  /** Whether what waits can go on as soon as the socket is writable; otherwise a timer looks after it. */
  get waitsForSocket(): boolean {
    return this.isWaiting && this.#retry === undefined
  }

  /** Whether messages are waiting for `flushPack`. */
  get isPacking(): boolean {
    return this.#pack !== null
  }

  /** Whether they should not wait for more. */
  get isPackFull(): boolean {
    return this.#pack?.isFull === true
  }

  /** Whether they have to leave before this one is sent. */
  isPackInTheWayOf(body: OutgoingBody): boolean {
    return this.#pack !== null && !(Pack.mayHold(body) && this.#pack.fits(body))
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Whether a message with so many descriptors may be sent now. @throws LimitError */
  checkRoom(fdCount: number): void {
    // A message is let in while there is room for anything: a long parcel must pass an empty queue whole.
    const { queuedBytes, queuedDescriptors } = CHANNEL_LIMITS
    if (this.#queuedBytes >= queuedBytes.limit) throw limitError(queuedBytes, this.#queuedBytes)
    const fds = this.#queuedFds + fdCount
    if (fds > queuedDescriptors.limit) throw limitError(queuedDescriptors, fds)
  }

  /**
   * Sends a message, or queues what the kernel does not take now; or puts it to those that wait for `flushPack`, which must
   * not be in its way.
   * @param mayShare it may be the first of them
   * @param mayWait it may leave at the end of the batch; if it then does not, it comes back: `takeBack`
   * @returns a negative errno: the socket is of no more use
   * @throws SyscallError EMFILE, LimitError of the budget: it cannot wait with its descriptors; nothing of it was sent
   */
  send(envelope: Envelope, body: OutgoingBody, mayShare = false, mayWait = false): number {
    if ((mayShare || this.#pack !== null) && Pack.mayHold(body)) {
      this.#pack ??= Pack.obtain()
      this.#pack.add(envelope, body)
      return 0
    }
    const size = body.size
    if (size <= MAX_PACKET_BYTES - HEADER_BYTES) {
      body.copyTo(this.#hub.outgoing, HEADER_BYTES)
      return this.#sendFirst(envelope, body, size, mayWait)
    }
    const whole = Buffer.allocUnsafe(size)
    body.copyTo(whole, 0)
    return this.#sendParts(envelope, body, whole)
  }

  /**
   * Sends messages that are a header each, as many to a packet as it holds. Those that wait for `flushPack` must have left.
   * @returns a negative errno: the socket is of no more use
   * @throws LimitError of the budget: they cannot wait
   */
  sendBare(envelopes: readonly Envelope[]): number {
    let result = 0
    for (let first = 0; first < envelopes.length && result >= 0; first += BARE_MESSAGES) {
      const some = envelopes.slice(first, first + BARE_MESSAGES)
      for (const [i, each] of some.entries()) {
        writeMessage(this.#hub.outgoing, i * HEADER_BYTES, each, OutgoingBody.EMPTY, 0)
      }
      result = this.#sendPacket(some.length * HEADER_BYTES, NO_FDS)
    }
    return result
  }

  /**
   * Sends the packet that messages share, if there is one. A negative errno: the socket is of no more use.
   * @throws LimitError of the budget: it cannot wait, and all of its messages are lost
   */
  flushPack(): number {
    const pack = this.#pack
    if (pack === null) return 0
    this.#pack = null
    return this.#sendPacket(pack.moveTo(this.#hub.outgoing), NO_FDS)
  }

  /** A packet that was to leave at the end of the batch did not: it waits before all others. @throws LimitError of the budget */
  takeBack(bytes: Buffer): void {
    this.#held.add(bytes.length)
    this.#waiting.unshift({ bytes, fds: [] })
    this.#queuedBytes += bytes.length
  }

  /** Sends what waits, as far as the kernel takes it. A negative errno: the socket is of no more use. */
  flush(): number {
    for (;;) {
      const packet = this.#waiting[0]
      if (packet === undefined) return 0
      packet.bytes.copy(this.#hub.outgoing)
      const result = this.#trySend(packet.bytes.length, packet.fds)
      if (result === EAGAIN) return 0
      if (result < 0) return result
      this.#forget()
    }
  }

  /** The channel is over. Takes the socket over if its peer has descriptors unread; otherwise it is to be closed next. */
  close(): void {
    this.drop()
    this.#inFlight.close()
  }

  /** Drops what waits and closes its descriptors. */
  drop(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#pack?.recycle()
    this.#pack = null
    while (this.#waiting.length > 0) this.#forget()
  }

  #sendParts(envelope: Envelope, body: OutgoingBody, whole: Buffer): number {
    const room = MAX_PACKET_BYTES - HEADER_BYTES
    whole.copy(this.#hub.outgoing, HEADER_BYTES, 0, room)
    let result = this.#sendFirst(envelope, body, room)
    const rest = { kind: KIND_CONTINUATION, id: envelope.id, object: 0, code: 0, oneway: false }
    for (let at = room; at < whole.length && result >= 0; at += room) {
      const here = whole.copy(this.#hub.outgoing, HEADER_BYTES, at, at + room)
      writeHeader(this.#hub.outgoing, 0, { ...rest, dataSize: 0, objectCount: 0, here, descriptorCount: 0 })
      result = this.#sendPacket(HEADER_BYTES + here, NO_FDS)
    }
    return result
  }

  #sendFirst(envelope: Envelope, body: OutgoingBody, here: number, mayWait = false): number {
    writeMessage(this.#hub.outgoing, 0, envelope, body, here)
    return this.#sendPacket(HEADER_BYTES + here, body.fds, mayWait)
  }

  /** The packet lies in the hub's outgoing bytes. */
  #sendPacket(length: number, fds: readonly Fd[], mayWait = false): number {
    if (this.#queuedBytes === 0) {
      const result = mayWait && fds.length === 0 ? this.#socket.sendLater(length) : this.#trySend(length, fds)
      if (result !== EAGAIN) return result
    }
    this.#waiting.push(this.#keep(length, fds))
    this.#queuedBytes += length
    this.#queuedFds += fds.length
    return 0
  }

  #forget(): void {
    const packet = this.#waiting.shift()
    if (packet === undefined) return
    for (const fd of packet.fds) fd.close()
    this.#queuedBytes -= packet.bytes.length
    this.#queuedFds -= packet.fds.length
    this.#held.remove(packet.bytes.length)
    if (packet.fds.length > 0) this.#budget?.refund('descriptors', packet.fds.length)
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
    this.#budget?.charge('descriptors', fds.length)
    try {
      return dupAll(fds)
    } catch (error) {
      this.#budget?.refund('descriptors', fds.length)
      throw error
    }
  }

  /** @returns EAGAIN: it has to wait, for the socket or for the timer */
  #trySend(length: number, fds: readonly Fd[]): number {
    if (fds.length === 0) return this.#socket.send(length)
    if (!this.#inFlight.admit(fds.length)) return this.#retryLater()
    const result = this.#socket.send(length, fds)
    if (result < 0) this.#inFlight.takeBack(fds.length)
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
