/**
 * Decides when a message is sent: now, at the end of the hub's batch, or at the end of this turn together with others
 * in one packet. No other code decides this. Messages that the peer does not read wait in the `SendQueue`.
 */
import { Buffer } from 'node:buffer'
import { errnos, type Hub, type HubSocket, MAX_PACKET_BYTES } from 'memfd-native'
import { DeadObjectError } from '../util/errors.ts'
import { nextTick } from '../util/timers.ts'
import { withWords } from '../util/words.ts'
import { retold } from './death.ts'
import type { ChannelBudget, HeldBytes } from './held-bytes.ts'
import { HEADER_BYTES, KIND_CONTINUATION, writeHeader } from './message.ts'
import { type Envelope, OutgoingBody, writeMessage } from './outgoing-body.ts'
import { Pack } from './pack.ts'
import { SendQueue, type WaitingOwner } from './send-queue.ts'

/**
 * When a message leaves. `now`; `thisBatch`: it may wait for the answers of other channels; `thisTurn`: it may wait for
 * more messages of this channel, to share a packet. One that finds others waiting joins them, and all leave at its time.
 */
export type When = 'now' | 'thisBatch' | 'thisTurn'

/** It closed its end. */
const PEER_GONE: readonly number[] = [errnos.EPIPE, errnos.ECONNRESET]

/** This many messages without a body are sent at once; fewer share a packet with other messages of this turn. */
const MANY_BARE_MESSAGES = 32

/** Messages without a body that a packet holds. */
const BARE_MESSAGES = Math.floor(MAX_PACKET_BYTES / HEADER_BYTES)

/** Whom the outbox tells. */
export interface OutboxOwner extends WaitingOwner {
  /** The peer has closed its end: what waited is dropped. */
  onPeerGone(): void
  /** The socket is of no more use. */
  onFault(reason: Error): void
  /** Messages that had waited could neither be sent nor wait on: they are lost, all that shared their packet. */
  onLost(cause: unknown): void
}

export class Outbox {
  readonly #owner: OutboxOwner
  readonly #outgoing: Buffer
  readonly #queue: SendQueue
  /** Messages that wait for the end of this turn, if any do. */
  #pack: Pack | null = null
  #willLeave = false
  /** Why nothing is sent any more; null: it is. */
  #endReason: Error | null = null

  /** @param held what waits is a part of it */
  constructor(owner: OutboxOwner, hub: Hub, socket: HubSocket, held: HeldBytes) {
    this.#owner = owner
    this.#outgoing = hub.outgoing
    withWords(hub.outgoing)
    this.#queue = new SendQueue(owner, hub, socket, held)
  }

  /** Descriptors that wait, here or for the peer to read. Before anything does. */
  chargeTo(budget: ChannelBudget): void {
    this.#queue.chargeTo(budget)
  }

  /** Whether packets wait for the peer to read. */
  get isWaiting(): boolean {
    return this.#queue.isWaiting
  }

  /** Whether a packet that is sent to the socket now follows all that was sent here before. */
  get isClear(): boolean {
    return !this.#queue.isWaiting && this.#pack === null
  }

  /** When to send a message for which nobody waits: with those that are collected already, otherwise now. */
  get whenOthersDo(): When {
    return this.#pack === null ? 'now' : 'thisTurn'
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes
  }

  /**
   * The first message. If the peer is gone, the hub reports it later, because an end during construction would meet an
   * incomplete handler.
   */
  begin(envelope: Envelope): void {
    writeMessage(this.#outgoing, 0, envelope, OutgoingBody.EMPTY, 0)
    this.#queue.send(HEADER_BYTES)
  }

  /** @throws LimitError, DeadObjectError a message with this body cannot be sent now: see `send` */
  makeRoomFor(body: OutgoingBody): void {
    if (this.#endReason === null) {
      this.#queue.checkRoom(body.fds.length)
      if (this.#pack !== null && !(Pack.mayHold(body) && this.#pack.fits(body))) this.leave()
    }
    // Also where the channel has ended by what that sent.
    if (this.#endReason !== null) throw retold(this.#endReason)
  }

  /**
   * Sends a message when it is time, or queues what the kernel does not take. `makeRoomFor` comes first.
   * @throws SyscallError EMFILE, LimitError of the budget: it cannot wait with its descriptors; nothing of it was sent
   */
  send(envelope: Envelope, body: OutgoingBody, when: When): void {
    if ((when === 'thisTurn' || this.#pack !== null) && Pack.mayHold(body)) {
      this.#addToPack(envelope, body, when)
      return
    }
    const { size } = body
    if (size <= MAX_PACKET_BYTES - HEADER_BYTES && body.lent !== null) {
      const length = HEADER_BYTES + body.copyOwnTo(this.#outgoing, HEADER_BYTES)
      writeMessage(this.#outgoing, 0, envelope, body, size)
      this.#afterSend(this.#queue.sendWith(length, body.lent))
      return
    }
    if (size <= MAX_PACKET_BYTES - HEADER_BYTES) {
      body.copyTo(this.#outgoing, HEADER_BYTES)
      writeMessage(this.#outgoing, 0, envelope, body, size)
      this.#afterSend(this.#queue.send(HEADER_BYTES + size, body.fds, when === 'thisBatch'))
      return
    }
    const whole = Buffer.allocUnsafe(size)
    body.copyTo(whole, 0)
    this.#afterSend(this.#sendParts(envelope, body, whole))
  }

  /**
   * Sends messages that are a header each: many of them now, as many to a packet as it holds.
   * @throws LimitError, DeadObjectError of the budget: they cannot wait
   */
  sendBare(envelopes: readonly Envelope[]): void {
    if (envelopes.length >= MANY_BARE_MESSAGES) this.#sendManyBare(envelopes)
    else for (const envelope of envelopes) this.#sendSoon(envelope)
  }

  #sendSoon(envelope: Envelope): void {
    this.makeRoomFor(OutgoingBody.EMPTY)
    this.send(envelope, OutgoingBody.EMPTY, 'thisTurn')
  }

  #sendManyBare(envelopes: readonly Envelope[]): void {
    this.makeRoomFor(OutgoingBody.EMPTY)
    this.leave() // it may have the objects themselves, on their way home
    if (this.#endReason !== null) return
    let result = 0
    for (let first = 0; first < envelopes.length && result >= 0; first += BARE_MESSAGES) {
      const some = envelopes.slice(first, first + BARE_MESSAGES)
      for (const [i, each] of some.entries()) {
        writeMessage(this.#outgoing, i * HEADER_BYTES, each, OutgoingBody.EMPTY, 0)
      }
      result = this.#queue.send(some.length * HEADER_BYTES)
    }
    this.#afterSend(result)
  }

  /** Sends the packet that messages share, if there is one. They are sent, or wait, or are lost together. */
  leave(): void {
    const pack = this.#pack
    if (pack === null) return
    this.#pack = null
    let errno: number
    try {
      errno = this.#queue.send(pack.moveTo(this.#outgoing))
    } catch (cause) {
      this.#owner.onLost(cause)
      return
    }
    this.#afterSend(errno)
  }

  /** A packet that was to leave at the end of the batch did not: if the socket is merely full it waits before all others. */
  onUnsent(bytes: Buffer, errno: number): void {
    if (errno !== errnos.EAGAIN) {
      this.#afterSend(errno)
      return
    }
    try {
      this.#queue.requeue(bytes)
    } catch (cause) {
      this.#owner.onLost(cause)
    }
  }

  /** A send by other code (a broadcast) failed, with a negative errno. */
  onSendFailed(errno: number): void {
    this.#afterSend(errno)
  }

  /** Sends what waits, as far as the kernel takes it. */
  flush(): void {
    this.#afterSend(this.#queue.flush())
  }

  /** The channel is over. Takes the socket over if its peer has descriptors unread; otherwise it is to be closed next. */
  close(reason: Error): void {
    this.#endReason = reason
    this.#dropPack()
    this.#queue.close()
  }

  #afterSend(errno: number): void {
    if (errno >= 0 || this.#endReason !== null) return
    if (!PEER_GONE.includes(errno)) {
      this.#owner.onFault(new DeadObjectError(`the other side cannot be reached (errno ${-errno})`))
      return
    }
    // What the peer sent before it went is still in the socket, answers perhaps. Its end comes behind them.
    this.#owner.onPeerGone()
    this.#dropPack()
    this.#queue.drop()
  }

  #addToPack(envelope: Envelope, body: OutgoingBody, when: When): void {
    this.#pack ??= Pack.obtain()
    this.#pack.add(envelope, body)
    if (when !== 'thisTurn' || this.#pack.isFull) this.leave()
    else this.#leaveLater()
  }

  #leaveLater(): void {
    if (this.#willLeave) return
    this.#willLeave = true
    nextTick(() => {
      this.#willLeave = false
      if (this.#endReason === null) this.leave()
    })
  }

  #dropPack(): void {
    this.#pack?.recycle()
    this.#pack = null
  }

  #sendParts(envelope: Envelope, body: OutgoingBody, whole: Buffer): number {
    const room = MAX_PACKET_BYTES - HEADER_BYTES
    whole.copy(this.#outgoing, HEADER_BYTES, 0, room)
    writeMessage(this.#outgoing, 0, envelope, body, room)
    let result = this.#queue.send(MAX_PACKET_BYTES, body.fds)
    const rest = { kind: KIND_CONTINUATION, id: envelope.id, object: 0, code: 0, oneway: false }
    for (let at = room; at < whole.length && result >= 0; at += room) {
      const here = whole.copy(this.#outgoing, HEADER_BYTES, at, at + room)
      writeHeader(this.#outgoing, 0, {
        ...rest,
        dataSize: 0,
        objectCount: 0,
        bodyBytesInPacket: here,
        descriptorCount: 0,
      })
      result = this.#queue.send(HEADER_BYTES + here)
    }
    return result
  }
}
