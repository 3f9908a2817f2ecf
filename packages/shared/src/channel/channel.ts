/**
 * One channel: a connected packet socket that speaks docs/protocol.md, either side of it. It matches replies to calls,
 * splits and joins long bodies, and ends when the peer breaks the rules. It knows objects by number only; what they are
 * is the business of the session above it.
 *
 * Ownership: the channel owns its socket. Bodies that it delivers are mostly borrowed, their descriptors belong to the
 * handler from the call on. Descriptors that are sent are borrowed (duplicated where they have to wait).
 */
import type { Buffer } from 'node:buffer'
import process from 'node:process'
import {
  type Credentials,
  Hub,
  type HubSocket,
  type OwnedFd,
  type PacketHandler,
  type ReceivedPacket,
} from 'memfd-native'
import { DeadObjectError, LimitError } from '../util/errors.ts'
import type { ChannelHandler, ChannelOptions } from './channel-handler.ts'
import { asDeath, CLOSED, PEER_GONE } from './death.ts'
import { failureBody } from './failure.ts'
import { type ChannelBudget, HeldBytes } from './held-bytes.ts'
import { Inbox, type InboxOwner } from './inbox.ts'
import {
  type Header,
  KIND_FAILURE,
  KIND_HELLO,
  KIND_RELEASE,
  KIND_TRANSACTION,
  PROTOCOL_VERSION,
  STATUS_LIMIT,
  STATUS_VERSION,
  Violation,
} from './message.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import type { OutgoingBody } from './outgoing-body.ts'
import { OutgoingCalls } from './outgoing-calls.ts'
import { type Debtor, Owed, type References } from './owed.ts'
import { type IncomingBody, type MessageSink, PacketReader } from './packet-reader.ts'
import type { CallWaiter } from './pending-calls.ts'
import { User } from './user.ts'

export type { ChannelHandler, ChannelOptions, IncomingCall, Outcome } from './channel-handler.ts'
export type { References } from './owed.ts'
export type { IncomingBody } from './packet-reader.ts'

/** More than a socket holds of even the shortest. */
const MAX_TAKEN_IN = 1024

/** A guess: few processes have as many channels, and the kernel's table of 4,096 descriptors is 32 KiB. */
const ABOVE_CHANNELS = 4096

const ownUid = process.getuid?.() ?? 0

export class Channel implements PacketHandler, MessageSink, InboxOwner, OutboxOwner, Debtor {
  readonly #hub = Hub.current()
  readonly #socket: HubSocket
  readonly #handler: ChannelHandler
  readonly #outbox: Outbox
  readonly #reader: PacketReader
  readonly #inbox: Inbox
  /** null: this side has called nothing yet. */
  #calls: OutgoingCalls | null = null
  readonly #owed: Owed
  /** What the peer makes this side hold. */
  readonly held = new HeldBytes()
  /** Whose turns it takes. */
  readonly #user: User
  /** Null: it has not ended. */
  #endReason: Error | null = null
  #reasons = 0
  /** The packet that was told last is followed by another one. */
  #isFollowed = false
  #isReferenced = false
  #isPeerGone = false

  /** Takes the socket over, also if this throws. A client's HELLO is on its way when this returns. */
  constructor(
    fd: OwnedFd,
    handler: ChannelHandler,
    { role, acceptsFileDescriptors, usesReserve, uid = ownUid }: ChannelOptions,
  ) {
    this.#handler = handler
    this.#reader = new PacketReader(this, this.held, { awaitsHello: role === 'server', acceptsFileDescriptors })
    this.#socket = this.#hub.attach(fd, this, {
      acceptsFileDescriptors,
      usesReserve: usesReserve === true,
      inNoContext: true, // what serves a call knows in which context
    })
    this.#user = User.join(uid)
    this.#socket.join(this.#user.group)
    this.#inbox = new Inbox(this, this.#reader, this.held, this.#user)
    this.#outbox = new Outbox(this, this.#hub, this.#socket, this.held)
    this.#owed = new Owed(this, this.#outbox)
    const hello = { kind: KIND_HELLO, id: 0, object: 0, code: PROTOCOL_VERSION, oneway: false }
    if (role === 'client') this.#outbox.begin(hello)
  }

  get isEnded(): boolean {
    return this.#endReason !== null
  }

  /** Whether another message that arrived together with the current one is served next. */
  get hasMore(): boolean {
    return this.#reader.hasMore || this.#isFollowed
  }

  /**
   * The peer closed its end. Packets that were sent since then, including the one that noticed it, have not reached it.
   */
  get isPeerGone(): boolean {
    return this.#isPeerGone
  }

  /** The peer will send no more, by the kernel's word. What it sent before may be unserved yet: see {@link isPeerGone}. */
  get hasHungUp(): boolean {
    return this.isEnded || this.#isPeerGone || this.#socket.hasHungUp
  }

  /** For a broadcast: whether a packet that is sent to the socket now follows all earlier ones. */
  get isClear(): boolean {
    return !this.isEnded && this.#outbox.isClear
  }

  /** For a broadcast. Belongs to the channel. */
  get socket(): HubSocket {
    return this.#socket
  }

  /** Calls out that have no answer yet. */
  get pendingCalls(): number {
    return this.#calls?.pending ?? 0
  }

  /** Bytes that wait for the peer to read. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes
  }

  /** Bytes that this side holds for the peer, and descriptors that wait for it to read, are paid by `budget` from now on. */
  chargeTo(budget: ChannelBudget): void {
    this.held.chargeTo(budget)
    this.#outbox.chargeTo(budget)
  }

  /**
   * Calls an object of the peer; `waiter` gets the outcome.
   * @throws LimitError for too many pending calls, or too many bytes that the peer has not read; DeadObjectError. Then
   *   the waiter is not called
   */
  call(object: number, code: number, body: OutgoingBody, waiter: CallWaiter): void {
    this.#outgoingCalls().call(object, code, body, waiter)
    this.#updateReference()
  }

  /** Nobody waits for a pending call any more, so it does not keep the process alive. */
  giveUp(): void {
    this.#outgoingCalls().giveUp()
    this.#updateReference()
  }

  /** Calls an object of the peer's and wants no answer. @throws LimitError, DeadObjectError */
  callOneway(object: number, code: number, body: OutgoingBody): void {
    this.#outgoingCalls().callOneway(object, code, body)
  }

  /** Answers a call. A peer that does not read its answers loses the channel, never the memory of this process. */
  reply(id: number, body: OutgoingBody): void {
    this.#owed.reply(id, body)
  }

  /** Answers a call that was not carried out. Id 0 says goodbye: the caller closes the channel next. */
  fail(id: number, status: number, body: OutgoingBody): void {
    this.#owed.fail(id, status, body)
  }

  /** Gives references to the peer's objects back. A peer that does not read them loses the channel, too. */
  release(references: readonly References[]): void {
    this.#owed.release(references)
  }

  /**
   * Learns what the peer has sent so far, in the middle of whatever this is called in: it is kept for its turn. If its end is among it, the
   * channel lives until then, and `isPeerGone`.
   */
  takeIn(): void {
    if (this.isEnded) return
    const onPacket = (packet: ReceivedPacket) => this.#inbox.keep(packet)
    const onEnd = () => {
      this.#isPeerGone = true
      this.#inbox.keepEnd()
    }
    this.#socket.takeIn({ onPacket, onEnd }, MAX_TAKEN_IN)
  }

  /** As `takeIn`, and serves at once what there is of oneway calls with descriptors to this object of this side. */
  serveEarly(object: number): void {
    this.takeIn()
    this.#inbox.serveEarly(object)
  }

  /** Ends the channel now, for this reason. Idempotent. Pending calls fail with ERR_DEAD_OBJECT. */
  close(reason: Error = CLOSED): void {
    if (!this.isEnded) this.#outbox.leave() // what was said is said
    this.#end(reason)
  }

  /**
   * When this process dies, the other side of this channel should notice it before those of other channels. Linux
   * closes the descriptors of a process from the highest number down, and may need a millisecond for it.
   */
  endFirst(): void {
    try {
      this.#socket.renumber(ABOVE_CHANNELS)
    } catch {
      // Few descriptors are allowed here (EINVAL, EMFILE): it ends when it ends.
    }
  }

  /** Counts reasons, other than calls and bytes under way, to keep the process alive. */
  ref(): void {
    this.#reasons += 1
    this.#updateReference()
  }

  unref(): void {
    this.#reasons -= 1
    this.#updateReference()
  }

  /** A broadcast could not be sent here: a negative errno. */
  onSendFailed(errno: number): void {
    this.#outbox.onSendFailed(errno)
  }

  // --- what the hub tells ---

  onEnd(): void {
    this.#inbox.takeEnd()
  }

  onWritable(): void {
    this.#outbox.flush()
  }

  onUnsent(bytes: Buffer, errno: number): void {
    if (!this.isEnded) this.#outbox.onUnsent(bytes, errno)
  }

  onPacket(packet: ReceivedPacket): void {
    this.#isFollowed = packet.isFollowed === true
    this.#inbox.take(packet)
  }

  // --- reports of the outbox and of the answers ---

  onWaiting(): void {
    this.#updateReference()
  }

  onPeerGone(): void {
    this.#isPeerGone = true
  }

  onLost(cause: unknown): void {
    const isPeers = cause instanceof LimitError
    this.#end(
      isPeers
        ? new Violation('does not read what it is sent', { cause })
        : new DeadObjectError('an answer could neither be sent nor kept until it can be', { cause }),
    )
  }

  // --- what the inbox tells ---

  onEndOfPackets(): void {
    this.#end(PEER_GONE)
  }

  onFault(reason: Error): void {
    this.#end(reason)
  }

  onOverLimit(limit: LimitError): void {
    this.fail(0, STATUS_LIMIT, failureBody(limit.message, limit))
    this.close(limit)
  }

  // --- what the reader tells ---

  mayGoOn(): boolean {
    return this.#user.mayGoOn()
  }

  onForeignVersion(): void {
    this.fail(0, STATUS_VERSION, failureBody(`this side speaks version ${PROTOCOL_VERSION}`))
  }

  onHello(credentials: Credentials | null): void {
    // One packet tells who calls for the channel's life; the others need not.
    if (credentials !== null && !this.isEnded) this.#socket.stopCredentials()
    this.#handler.onHello(credentials)
  }

  onMessage(header: Header, body: IncomingBody): void {
    if (header.kind === KIND_TRANSACTION) {
      if (header.id !== 0) this.#owed.onCall()
      this.#handler.onTransaction({ id: header.id, object: header.object, code: header.code, body })
    } else if (header.kind === KIND_RELEASE) {
      this.#handler.onRelease(header.object, header.code)
    } else if (header.kind === KIND_FAILURE && header.id === 0) {
      this.#end(this.#handler.onFarewell({ status: header.code, body }))
    } else {
      this.#outgoingCalls().settle(header, body)
      this.#updateReference()
    }
  }

  #end(reason: Error): void {
    if (this.isEnded) return
    this.#endReason = asDeath(reason)
    this.#outbox.close(this.#endReason)
    this.#socket.close()
    this.#inbox.close()
    this.held.close()
    this.#calls?.failAll(this.#endReason)
    this.#updateReference()
    this.#handler.onEnd(reason)
  }

  /** Most channels of a server call nobody. */
  #outgoingCalls(): OutgoingCalls {
    this.#calls ??= new OutgoingCalls(this.#outbox)
    return this.#calls
  }

  #updateReference(): void {
    const awaited = this.#calls?.awaited ?? 0
    const busy = !this.isEnded && (this.#reasons > 0 || awaited > 0 || this.#outbox.isWaiting)
    if (busy === this.#isReferenced) return
    this.#isReferenced = busy
    if (busy) this.#hub.ref()
    else this.#hub.unref()
  }
}
