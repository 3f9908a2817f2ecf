/**
 * One channel, seen as objects: it carries the calls of its proxies out and calls to this side's objects in, and
 * notifies every proxy when it ends. The session owns the channel, and through it the socket.
 */

import type { AsyncContext, Credentials, OwnedFd } from 'memfd-native'
import { Channel, type ChannelHandler, type IncomingCall, type Outcome } from '../channel/channel.ts'
import { failureBody, failureError } from '../channel/failure.ts'
import type { ChannelBudget } from '../channel/held-bytes.ts'
import { STATUS_LIMIT, Violation } from '../channel/message.ts'
import type { CallWaiter } from '../channel/pending-calls.ts'
import { acceptsFileDescriptors } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { abortError } from '../util/abortable.ts'
import { DeadObjectError, IllegalStateError, type LimitError } from '../util/errors.ts'
import type { CallOptions } from '../util/patience.ts'
import { reportCallbackError } from '../util/report.ts'
import type { Binder } from './binder.ts'
import type { BinderProxy } from './binder-proxy.ts'
import { type Caller, runAsSelf } from './calling-identity.ts'
import { HelloWait } from './hello-wait.ts'
import { IncomingCalls } from './incoming-calls.ts'
import { OwnObjects } from './own-objects.ts'
import { PeerObjects, type ReleaseObserver, ROOT } from './peer-objects.ts'
import { type Pending, PendingReply, PendingResult } from './pending-reply.ts'
import type { LinkedProxy, ProxyLink, ResultReader } from './proxy-link.ts'
import { ATTACH_TRANSACTION } from './transaction-codes.ts'
import { WireParcels } from './wire-parcels.ts'

export interface SessionOptions {
  role: 'client' | 'server'
  /** Object 0 of this side; null where this side has none (clients). */
  root: Binder | null
  /** What object 0 is served in: see `contextFor`. */
  rootContext?: AsyncContext | null
  /** Whether object 0 of the peer accepts descriptors, and with it the peer's socket. */
  peerAcceptsFileDescriptors: boolean
  /**
   * The identity of the peer, if it is known before its first packet (from SO_PEERCRED; a client knows its service from
   * the registry).
   */
  caller?: Caller
  /** Whether received descriptors may use the last descriptor numbers. Default: false. */
  usesReserve?: boolean
  /** A server that learns its caller from the HELLO: the uid that it must have. */
  expectedUid?: number
  /**
   * The peer of a server has sent HELLO, and its identity is known. An error that this throws refuses it: the peer gets
   * the error, and the channel ends.
   */
  admit?: (caller: Caller) => LimitError | null
  /** The registry brings one of our exported binders the end of a new channel. `data` is borrowed. */
  onAttach?: (binder: Binder, data: Parcel) => void
  /** The channel is over, told once, after every proxy has been told. */
  onEnd?: (reason: Error) => void
}

const NOBODY: Caller = { pid: 0, uid: 0xffffffff }

export class Session implements ChannelHandler, ProxyLink, ReleaseObserver {
  readonly #expectedUid: number | undefined
  readonly #admit: SessionOptions['admit']
  readonly #onAttach: SessionOptions['onAttach']
  readonly #onOver: SessionOptions['onEnd']
  readonly #channel: Channel
  readonly #own: OwnObjects
  readonly #peers: PeerObjects
  readonly #parcels: WireParcels
  readonly #calls: IncomingCalls
  /** null: the peer has said HELLO, or is a service, which says none. */
  #helloWait: HelloWait | null
  #budget: ChannelBudget | undefined
  #caller: Caller

  /** Takes the socket over, also if this throws. */
  constructor(fd: OwnedFd, options: SessionOptions) {
    const isServer = options.role === 'server'
    this.#expectedUid = options.expectedUid
    this.#admit = options.admit
    this.#onAttach = options.onAttach
    this.#onOver = options.onEnd
    this.#caller = options.caller ?? NOBODY
    const accepts = !isServer || options.root?.[acceptsFileDescriptors] === true
    const uid = options.caller?.uid ?? options.expectedUid
    this.#channel = new Channel(fd, this, {
      role: options.role,
      acceptsFileDescriptors: accepts,
      usesReserve: options.usesReserve === true,
      uid,
    })
    this.#peers = new PeerObjects(this, this.#channel, {
      rootAcceptsFileDescriptors: options.peerAcceptsFileDescriptors,
      isForRoot: !isServer,
      observer: this,
    })
    this.#own = new OwnObjects(this.#channel, {
      root: options.root,
      rootContext: options.rootContext ?? null,
      observer: this,
    })
    this.#parcels = new WireParcels(this.#channel, {
      own: this.#own,
      peers: this.#peers,
      peerAcceptsFileDescriptors: isServer || options.peerAcceptsFileDescriptors,
    })
    this.#calls = new IncomingCalls(this.#channel, this.#own, this.#parcels)
    this.#helloWait = isServer ? new HelloWait(this) : null
  }

  /** The peer's object 0. A client's channel lives as long as this proxy is in use, or until it is closed. */
  get root(): BinderProxy {
    return this.#peers.root
  }

  /** Now, not after a second: the channel ends with the proxy of object 0 that nobody holds. */
  weakenRoot(): void {
    this.#peers.weakenRoot()
  }

  get isEnded(): boolean {
    return this.#channel.isEnded
  }

  /** See `Channel.hasHungUp`. */
  get hasHungUp(): boolean {
    return this.#channel.hasHungUp
  }

  /** For a broadcast. Belongs to the session. */
  get channel(): Channel {
    return this.#channel
  }

  /** The identity of the peer; uid 4294967295 before its HELLO. */
  get caller(): Caller {
    return this.#caller
  }

  /** Bytes that the peer has not read and the kernel did not take. */
  get queuedBytes(): number {
    return this.#channel.queuedBytes
  }

  /** The budget that is charged for what this side holds for the peer; undefined if nothing is counted. */
  get budget(): ChannelBudget | undefined {
    return this.#budget
  }

  /** What this side holds for the peer, in bytes, descriptors and objects, is paid by `budget` from now on: a ledger's. */
  chargeTo(budget: ChannelBudget): void {
    this.#budget = budget
    this.#channel.chargeTo(budget)
    this.#own.chargeTo(budget)
    this.#peers.chargeTo(budget)
  }

  /** See `Channel.endFirst`. */
  endFirst(): void {
    this.#channel.endFirst()
  }

  /** Ends the channel now, for this reason. Idempotent. */
  close(reason?: Error): void {
    this.#channel.close(reason)
  }

  /** Ends the channel and tells the peer why first: its calls fail with this error and not with ERR_DEAD_OBJECT. */
  refuse(limit: LimitError): void {
    this.#channel.fail(0, STATUS_LIMIT, failureBody(limit.message, limit))
    this.#channel.close()
  }

  /**
   * Serves the oneway calls with descriptors that have arrived for this object, without waiting for their turn, for
   * code that must know them now. Everything else that has arrived waits for its turn.
   */
  serveEarly(binder: Binder): void {
    const number = this.#own.numberOf(binder)
    if (number !== undefined) this.#channel.serveEarly(number)
  }

  // --- for the proxies of this session: see ProxyLink ---

  transact(
    proxy: LinkedProxy,
    code: number,
    data: Parcel,
    reply: Parcel | null,
    options: CallOptions | undefined,
  ): Promise<boolean> {
    return this.#callFor(proxy, code, data, new PendingReply(this.#parcels, proxy, reply), options)
  }

  transactFor<T>(
    proxy: LinkedProxy,
    code: number,
    data: Parcel,
    reader: ResultReader<T>,
    options: CallOptions | undefined,
  ): Promise<T> {
    return this.#callFor(proxy, code, data, new PendingResult(this.#parcels, proxy, reader), options)
  }

  #callFor<T>(
    proxy: LinkedProxy,
    code: number,
    data: Parcel,
    pending: Pending<T>,
    options: CallOptions | undefined,
  ): Promise<T> {
    if (options?.signal?.aborted) throw abortError(options.signal)
    pending.check()
    this.#call(proxy, code, data, pending)
    pending.begin()
    return options === undefined ? pending.answer : pending.within(options, () => this.#channel.giveUp())
  }

  transactOneway(proxy: LinkedProxy, code: number, data: Parcel): void {
    this.#call(proxy, code, data, null)
  }

  #call(proxy: LinkedProxy, code: number, data: Parcel, waiter: CallWaiter | null): void {
    // The registry's attachment is for the session that serves the binder, not for the binder.
    const isAttachment = code === ATTACH_TRANSACTION && this.#parcels.peer[acceptsFileDescriptors]
    const body = this.#parcels.pack(data, isAttachment || proxy[acceptsFileDescriptors])
    try {
      if (waiter === null) this.#channel.callOneway(proxy.objectNumber, code, body)
      else this.#channel.call(proxy.objectNumber, code, body, waiter)
    } catch (error) {
      this.#parcels.releaseUnsent(body)
      throw error
    }
  }

  retain(proxy: LinkedProxy): void {
    this.#peers.retain(proxy)
  }

  release(proxy: LinkedProxy): void {
    this.#peers.release(proxy)
  }

  drop(proxy: LinkedProxy): void {
    this.release(proxy)
    if (proxy.objectNumber === ROOT) this.close()
    else this.#peers.drop(proxy.objectNumber)
  }

  abandon(proxy: LinkedProxy): void {
    this.#peers.abandon(proxy.objectNumber)
  }

  /** An abandoned channel stays open while other objects, of either side, are still held. */
  onReleased(): void {
    if (this.#peers.isAbandoned && this.#peers.isEmpty && this.#own.isEmpty) this.close()
  }

  // --- what the channel tells ---

  onHello(credentials: Credentials | null): void {
    this.#helloWait?.end()
    this.#helloWait = null
    const expectedUid = this.#expectedUid
    if (expectedUid !== undefined) {
      if (credentials === null || credentials.uid !== expectedUid) {
        throw new Violation(`HELLO of uid ${credentials?.uid ?? 'unknown'}, the channel was made for ${expectedUid}`)
      }
      this.#caller = { pid: credentials.pid, uid: credentials.uid }
    }
    const refusal = this.#admit?.(this.#caller)
    if (refusal) this.refuse(refusal)
  }

  onTransaction(call: IncomingCall): void {
    const onAttach = this.#onAttach
    const isAttachment = onAttach !== undefined && call.code === ATTACH_TRANSACTION && call.id === 0
    const binder = isAttachment ? this.#own.get(call.object) : undefined
    if (isAttachment && binder !== undefined) this.#attach(binder, call, onAttach)
    else this.#calls.accept(call, this.#caller)
  }

  #attach(binder: Binder, call: IncomingCall, onAttach: (binder: Binder, data: Parcel) => void): void {
    const data = this.#parcels.unpack(call.body)
    try {
      onAttach(binder, data)
    } catch (error) {
      reportCallbackError('a new channel', error)
    } finally {
      data.recycle()
    }
  }

  onRelease(object: number, count: number): void {
    this.#own.release(object, count)
  }

  onFarewell(outcome: Outcome): Error {
    return failureError(outcome) ?? new DeadObjectError('the other side ended the channel')
  }

  onEnd(reason: Error): void {
    runAsSelf(() => this.#onEnd(reason))
  }

  #onEnd(reason: Error): void {
    this.#helloWait?.end()
    this.#own.close()
    this.#peers.end(reason)
    this.#onOver?.(reason)
  }
}

/** The session that brings the calls of a proxy. For this project's packages. */
export function sessionOf(proxy: BinderProxy): Session {
  if (proxy.link instanceof Session) return proxy.link
  throw new IllegalStateError('this proxy does not belong to a session')
}
