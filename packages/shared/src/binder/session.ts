/**
 * One channel seen as objects: it turns the binders and descriptors of a parcel into the channel's numbers and back,
 * runs incoming calls with their caller's identity, and tells every proxy when the channel ends.
 *
 * Who owns what: the session owns the channel, and through it the socket. Parcels that go out are borrowed; parcels that
 * come in are the session's until the call they belong to is over, when they are recycled with their descriptors.
 */
import type { Credentials, OwnedFd } from 'memfd-native'
import { Channel, type IncomingBody, type IncomingCall, type Outcome } from '../channel/channel.ts'
import { failureBody, failureError } from '../channel/failure.ts'
import { HELLO_TIMEOUT_MS, MAX_PENDING_CALLS } from '../channel/limits.ts'
import {
  OBJECT_DESCRIPTOR,
  OBJECT_LOCAL_BINDER,
  OBJECT_REMOTE_BINDER,
  STATUS_DESCRIPTORS_REFUSED,
  STATUS_LIMIT,
  STATUS_TOO_LARGE,
  STATUS_UNKNOWN_OBJECT,
  STATUS_UNKNOWN_TRANSACTION,
  Violation,
  type WireObject,
} from '../channel/message.ts'
import { OutgoingBody } from '../channel/outgoing-body.ts'
import {
  DeadObjectError,
  errorCode,
  InvalidArgTypeError,
  LimitError,
  TransactionTooLargeError,
  UnsupportedOperationError,
} from '../errors.ts'
import { borrowFd, wrapOwnedFd } from '../os/file-descriptor.ts'
import { acceptsFileDescriptors, type IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { type ParcelObject, parcelContents, parcelFromWire, replaceContents } from '../parcel/parcel-objects.ts'
import { reportCallbackError } from '../util/report.ts'
import { Binder } from './binder.ts'
import { BinderProxy } from './binder-proxy.ts'
import { type Caller, runAsCaller } from './calling-identity.ts'
import { Exports, Imports } from './object-tables.ts'
import { OnewayQueue } from './oneway-queue.ts'
import { ATTACH_TRANSACTION, FLAG_ONEWAY, PING_TRANSACTION } from './transaction-codes.ts'

export interface SessionOptions {
  role: 'client' | 'server'
  /** Object 0 of this side; null where this side has none (clients). */
  root: Binder | null
  /** Whether object 0 of the peer takes descriptors, and with it the peer's socket. */
  peerTakesFds: boolean
  /** Who the peer is, where it is known before it speaks (SO_PEERCRED; a client knows its service from the registry). */
  caller?: Caller
  /** A server that learns its caller from the HELLO: the uid that it must have. */
  expectedUid?: number
  /** A server's peer has said HELLO, and who it is. An error refuses it: the peer is told the limit, and the channel ends. */
  admit?: (caller: Caller) => LimitError | null
  /** The registry brings one of our exported binders the end of a new channel. `data` is borrowed. */
  onAttach?: (binder: Binder, data: Parcel) => void
  /** The channel is over, told once, after every proxy has been told. */
  onEnd?: (reason: Error) => void
}

/** One call that goes out. */
export interface Transaction {
  readonly code: number
  readonly data: Parcel
  readonly reply: Parcel | null
  readonly flags: number
}

const NOBODY: Caller = { pid: 0, uid: 0xffffffff }

export class Session {
  readonly #channel: Channel
  readonly #options: SessionOptions
  readonly #exports = new Exports()
  readonly #imports = new Imports((number, references) => this.#channel.release(number, references))
  readonly #kept = new Set<BinderProxy>()
  readonly #oneway = new Map<number, OnewayQueue>()
  #root: WeakRef<BinderProxy> | undefined
  #caller: Caller
  #callsRunning = 0
  #helloTimer: NodeJS.Timeout | undefined

  /** Takes the socket over, also if this throws. */
  constructor(fd: OwnedFd, options: SessionOptions) {
    this.#options = options
    this.#caller = options.caller ?? NOBODY
    if (options.role === 'server') this.#awaitHello()
    this.#channel = new Channel(
      fd,
      {
        onHello: (credentials) => this.#onHello(credentials),
        onTransaction: (call) => this.#onTransaction(call),
        onRelease: (object, count) => this.#onRelease(object, count),
        onFarewell: (outcome) => failureError(outcome) ?? new DeadObjectError('the other side ended the channel'),
        onEnd: (reason) => this.#onEnd(reason),
      },
      { role: options.role, takesFds: this.#takesFds },
    )
  }

  /** The peer's object 0. The channel lives as long as this proxy is in use, or until it is closed. */
  get root(): BinderProxy {
    const known = this.#root?.deref()
    if (known !== undefined) return known
    const proxy = new BinderProxy(this, 0, this.#options.peerTakesFds)
    this.#root = new WeakRef(proxy)
    unusedRoots.register(proxy, new WeakRef(this))
    return proxy
  }

  get isEnded(): boolean {
    return this.#channel.isEnded
  }

  /** Who is at the other end; uid 4294967295 before its HELLO. */
  get caller(): Caller {
    return this.#caller
  }

  /** Bytes that the peer has not read and the kernel did not take. */
  get queuedBytes(): number {
    return this.#channel.queuedBytes
  }

  close(): void {
    this.#channel.close()
  }

  /** Ends the channel and tells the peer why first: its calls fail with this error and not with ERR_DEAD_OBJECT. */
  refuse(limit: LimitError): void {
    this.#channel.fail(0, STATUS_LIMIT, failureBody(limit.message, limit))
    this.#channel.close()
  }

  // --- for the proxies of this session ---

  /** Sends a call before it returns; the promise is of the answer. @throws see BinderProxy.transact */
  transact(proxy: BinderProxy, object: number, call: Transaction): Promise<boolean> {
    // The registry's attachment is for the session that serves the binder, not for the binder.
    const takesFds = proxy[acceptsFileDescriptors] || call.code === ATTACH_TRANSACTION
    const body = this.#flatten(call.data, takesFds)
    try {
      if ((call.flags & FLAG_ONEWAY) !== 0) {
        this.#channel.callOneway(object, call.code, body)
        return Promise.resolve(true)
      }
      return this.#receiveReply(proxy, call.reply, this.#channel.call(object, call.code, body))
    } catch (error) {
      this.#takeBack(body)
      throw error
    }
  }

  /** A proxy with death links stays reachable. */
  keep(proxy: BinderProxy): void {
    this.#kept.add(proxy)
  }

  unkeep(proxy: BinderProxy): void {
    this.#kept.delete(proxy)
  }

  drop(proxy: BinderProxy, object: number): void {
    this.#kept.delete(proxy)
    if (object === 0) this.close()
    else this.#imports.drop(object)
  }

  /** The root proxy was collected: nobody can call any more. What the peer may call back keeps the channel. */
  rootCollected(): void {
    if (this.#root?.deref() === undefined && this.#exports.size === 0 && this.#imports.proxies().next().done)
      this.close()
  }

  // --- calls that come in ---

  get #takesFds(): boolean {
    return this.#options.role === 'client' || this.#options.root?.[acceptsFileDescriptors] === true
  }

  #awaitHello(): void {
    this.#helloTimer = setTimeout(() => this.close(), HELLO_TIMEOUT_MS).unref()
  }

  #onHello(credentials: Credentials | null): void {
    clearTimeout(this.#helloTimer)
    const { expectedUid } = this.#options
    if (expectedUid !== undefined) {
      if (credentials === null || credentials.uid !== expectedUid) {
        throw new Violation(`HELLO of uid ${credentials?.uid ?? 'unknown'}, the channel was made for ${expectedUid}`)
      }
      this.#caller = { pid: credentials.pid, uid: credentials.uid }
    }
    const refusal = this.#options.admit?.(this.#caller)
    if (refusal) this.refuse(refusal)
  }

  #onTransaction(call: IncomingCall): void {
    const binder = call.object === 0 ? this.#options.root : this.#exports.get(call.object)
    if (call.code === ATTACH_TRANSACTION && this.#options.onAttach !== undefined && binder) {
      this.#attach(binder, call, this.#options.onAttach)
    } else if (binder === null || binder === undefined) {
      this.#refuse(call, STATUS_UNKNOWN_OBJECT, failureBody(`there is no object ${call.object}`))
    } else if (call.body.fds.length > 0 && !binder[acceptsFileDescriptors]) {
      this.#refuse(call, STATUS_DESCRIPTORS_REFUSED, failureBody('this object takes no descriptors in requests'))
    } else if (call.id === 0) {
      this.#serveOneway(binder, call, this.#unflatten(call.body))
    } else if (this.#callsRunning >= MAX_PENDING_CALLS) {
      const limit = new LimitError('calls pending on a channel', MAX_PENDING_CALLS, this.#callsRunning)
      this.#refuse(call, STATUS_LIMIT, failureBody(limit.message, limit))
    } else void this.#serve(binder, call, this.#unflatten(call.body))
  }

  #attach(binder: Binder, call: IncomingCall, onAttach: (binder: Binder, data: Parcel) => void): void {
    const data = this.#unflatten(call.body)
    try {
      onAttach(binder, data)
    } catch (error) {
      reportCallbackError('a new channel', error)
    } finally {
      data.recycle()
    }
  }

  #refuse(call: IncomingCall, status: number, body: OutgoingBody): void {
    for (const fd of call.body.fds) fd.close()
    for (const { type, number } of call.body.objects) {
      if (type === OBJECT_LOCAL_BINDER) this.#channel.release(number, 1)
    }
    if (call.id !== 0) this.#channel.fail(call.id, status, body)
  }

  async #serve(binder: Binder, call: IncomingCall, data: Parcel): Promise<void> {
    this.#callsRunning += 1
    const reply = Parcel.obtain()
    try {
      const isKnown = await runAsCaller(this.#caller, () => this.#dispatch(binder, call.code, data, reply, 0))
      if (isKnown) this.#reply(call.id, reply)
      else this.#channel.fail(call.id, STATUS_UNKNOWN_TRANSACTION, failureBody(`code ${call.code} is not known`))
    } catch (error) {
      this.#replyError(call.id, error)
    } finally {
      this.#callsRunning -= 1
      data.recycle()
      reply.recycle()
    }
  }

  #serveOneway(binder: Binder, call: IncomingCall, data: Parcel): void {
    let queue = this.#oneway.get(call.object)
    if (queue === undefined) {
      queue = new OnewayQueue()
      this.#oneway.set(call.object, queue)
    }
    const caller = { pid: 0, uid: this.#caller.uid }
    queue.push(async () => {
      const reply = Parcel.obtain()
      try {
        await runAsCaller(caller, () => this.#dispatch(binder, call.code, data, reply, FLAG_ONEWAY))
      } catch (error) {
        reportCallbackError(`a oneway call with code ${call.code}`, error)
      } finally {
        data.recycle()
        reply.recycle()
      }
    })
  }

  #dispatch(binder: Binder, code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
    return code === PING_TRANSACTION ? true : binder.onTransact(code, data, reply, flags)
  }

  #reply(id: number, reply: Parcel): void {
    let body: OutgoingBody
    try {
      body = this.#flatten(reply, this.#options.role === 'server' || this.#options.peerTakesFds)
    } catch (error) {
      this.#replyError(id, error)
      return
    }
    this.#channel.reply(id, body)
  }

  /** An error with a number travels in the reply; the others have a status, or are an unknown transaction. */
  #replyError(id: number, error: unknown): void {
    if (error instanceof TransactionTooLargeError) {
      this.#channel.fail(id, STATUS_TOO_LARGE, failureBody(error.message))
      return
    }
    if (error instanceof LimitError) {
      this.#channel.fail(id, STATUS_LIMIT, failureBody(error.message, error))
      return
    }
    const reply = Parcel.obtain()
    try {
      reply.writeException(error as Error)
      this.#channel.reply(id, new OutgoingBody(parcelContents(reply).data))
    } catch {
      reportCallbackError('a call', error)
      this.#channel.fail(id, STATUS_UNKNOWN_TRANSACTION, failureBody(`an error without a number: ${errorCode(error)}`))
    } finally {
      reply.recycle()
    }
  }

  // --- calls that go out ---

  /** `proxy` is a parameter so that it stays alive, and with it the channel, while its call is pending. */
  async #receiveReply(_proxy: BinderProxy, reply: Parcel | null, answer: Promise<Outcome>): Promise<boolean> {
    const { status, body } = await answer
    if (status !== 0) {
      for (const fd of body.fds) fd.close()
      const error = failureError({ status, body })
      if (error === null) return false
      throw error
    }
    const { data, objects } = this.#openReply(body)
    if (reply === null) parcelFromWire(data, objects).recycle()
    else replaceContents(reply, data, objects)
    return true
  }

  #openReply(body: IncomingBody): { data: Buffer; objects: ParcelObject[] } {
    try {
      return this.#open(body)
    } catch (error) {
      for (const fd of body.fds) fd.close()
      this.#channel.close(error as Error)
      throw new DeadObjectError('the other side broke the protocol', { cause: error })
    }
  }

  #onRelease(object: number, count: number): void {
    this.#exports.release(object, count)
    if (this.#oneway.get(object)?.isIdle) this.#oneway.delete(object)
    if (this.#exports.size === 0) this.#channel.unhold()
  }

  #onEnd(reason: Error): void {
    clearTimeout(this.#helloTimer)
    const proxies = new Set([...this.#kept, ...this.#imports.proxies()])
    const root = this.#root?.deref()
    if (root !== undefined) proxies.add(root)
    this.#kept.clear()
    this.#exports.clear()
    for (const proxy of proxies) proxy.sessionEnded()
    this.#options.onEnd?.(reason)
  }

  // --- parcels and the wire ---

  #flatten(parcel: Parcel, peerTakesFds: boolean): OutgoingBody {
    if (!(parcel instanceof Parcel)) throw new InvalidArgTypeError('data must be a Parcel')
    const { data, objects } = parcelContents(parcel)
    if (objects.length === 0) return new OutgoingBody(data)
    const body = new OutgoingBody(data, [], [])
    try {
      for (const object of objects) this.#flattenObject(object, peerTakesFds, body)
      return body
    } catch (error) {
      this.#takeBack(body)
      throw error
    }
  }

  #flattenObject(object: ParcelObject, peerTakesFds: boolean, body: OutgoingBody): void {
    const { offset } = object
    if (object.kind === 'fd') {
      if (!peerTakesFds) throw new UnsupportedOperationError('the object takes no descriptors in requests')
      body.objects.push({ offset, type: OBJECT_DESCRIPTOR, number: body.fds.length, takesFds: false })
      body.fds.push(borrowFd(object.fd))
    } else body.objects.push(this.#flattenBinder(object.binder, offset))
  }

  #flattenBinder(binder: IBinder, offset: number): WireObject {
    if (binder instanceof BinderProxy) {
      if (!binder.belongsTo(this)) {
        throw new UnsupportedOperationError(
          'a proxy of another channel cannot be sent: find its service by the registry',
        )
      }
      return { offset, type: OBJECT_REMOTE_BINDER, number: binder.objectNumber, takesFds: false }
    }
    if (!(binder instanceof Binder)) throw new InvalidArgTypeError('a binder must extend Binder')
    const wasEmpty = this.#exports.size === 0
    const number = this.#exports.add(binder)
    if (wasEmpty) this.#channel.hold()
    return { offset, type: OBJECT_LOCAL_BINDER, number, takesFds: binder[acceptsFileDescriptors] }
  }

  /** The body did not leave: the peer holds none of the references in it. */
  #takeBack(body: OutgoingBody): void {
    if (this.isEnded) return
    for (const { type, number } of body.objects) if (type === OBJECT_LOCAL_BINDER) this.#onRelease(number, 1)
  }

  #unflatten(body: IncomingBody): Parcel {
    const { data, objects } = this.#open(body)
    return parcelFromWire(data, objects)
  }

  /** The objects of a body for a parcel, which owns the descriptors from then on. @throws Violation */
  #open(body: IncomingBody): { data: Buffer; objects: ParcelObject[] } {
    const binders = body.objects.map((object) => (object.type === OBJECT_DESCRIPTOR ? null : this.#openBinder(object)))
    const objects = body.objects.map(({ offset, number }, i): ParcelObject => {
      const binder = binders[i]
      if (binder) return { offset, kind: 'binder', binder }
      return { offset, kind: 'fd', fd: wrapOwnedFd(body.fds[number] as OwnedFd) }
    })
    return { data: body.data, objects }
  }

  #openBinder(object: WireObject): IBinder {
    if (object.type === OBJECT_LOCAL_BINDER) {
      // A client cannot send descriptors to a server whose socket refuses them, whatever the object would take.
      const takesFds = object.takesFds && (this.#options.role === 'server' || this.#options.peerTakesFds)
      return this.#imports.add(object.number, () => new BinderProxy(this, object.number, takesFds))
    }
    const binder = object.number === 0 ? this.#options.root : this.#exports.get(object.number)
    if (binder === null || binder === undefined) throw new Violation(`object ${object.number} is not of this side`)
    return binder
  }
}

const unusedRoots = new FinalizationRegistry<WeakRef<Session>>((session) => session.deref()?.rootCollected())
