/** The remote half of an object (android.os.BinderProxy). Only a session makes one. */

import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { retold } from '../channel/death.ts'
import type { DeathRecipient, IBinder, IInterface } from '../parcel/ibinder.ts'
import { acceptsFileDescriptors } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { checkInteger, checkNotNull } from '../util/check.ts'
import { ClosedError, NoSuchElementError } from '../util/errors.ts'
import { type CallOptions, checkCallOptions, within } from '../util/patience.ts'
import { reportCallbackError } from '../util/report.ts'
import { checkFlags, checkParcelOrNull, checkRecipient } from './binder.ts'
import { inContext } from './calling-identity.ts'
import type { LinkedProxy, ProxyLink, ResultReader } from './proxy-link.ts'
import { EXTENSION_TRANSACTION, FLAG_ONEWAY, INTERFACE_TRANSACTION, PING_TRANSACTION } from './transaction-codes.ts'

interface DeathLink {
  readonly recipient: DeathRecipient
  readonly flags: number
  readonly tell: (who: IBinder) => void
}

/**
 * Stands for an object of another process (android.os.BinderProxy). The same object has the same proxy on one channel,
 * as long as you hold the proxy. Close it to release the object at once; otherwise the garbage collector does.
 */
export class BinderProxy implements IBinder, LinkedProxy {
  /** Whether requests to the object may carry descriptors. */
  readonly [acceptsFileDescriptors]: boolean
  readonly #link: ProxyLink
  readonly #object: number
  #links: DeathLink[] = []
  #descriptor: Promise<string | null> | undefined
  #state: 'alive' | 'dead' | 'closed' = 'alive'
  /** The error of its death. The peer may have named one of its limits as the reason. */
  #reason: Error | null = null

  /** For its link only. */
  constructor(link: ProxyLink, object: number, accepts: boolean) {
    this.#link = link
    this.#object = object
    this[acceptsFileDescriptors] = accepts
    keepFromCloning(this)
  }

  /**
   * Calls the object in its process.
   * @param data yours again when this returns. The call is sent at once, or together with others at the end of this
   *   turn of the event loop.
   * @param reply filled in when the promise resolves; with null the answer is dropped.
   * @param options how long to wait for the answer; by default as long as it takes. An answer that comes later is
   *   dropped
   * @returns false if the object does not know the code, or failed because of a bug; for FLAG_ONEWAY true at once
   * @throws ERR_DEAD_OBJECT if the process is gone; ERR_CLOSED after close(); ERR_TRANSACTION_TOO_LARGE above 1 MiB - 8
   *   KiB; ERR_LIMIT for too many calls that wait, too much that the peer has not read, or more than 253 descriptors;
   *   AbortError and ERR_TIMEOUT by `options`; ERR_UNSUPPORTED_OPERATION for descriptors to an object that accepts
   *   none, or a proxy of another channel
   */
  transact(
    code: number,
    data: Parcel,
    reply: Parcel | null = null,
    flags = 0,
    options?: CallOptions,
  ): Promise<boolean> {
    try {
      checkInteger('code', code, 0, 0xffffffff)
      checkFlags(flags)
      checkNotNull('data', data)
      checkParcelOrNull('data', data)
      checkParcelOrNull('reply', reply)
      if (options !== undefined) checkCallOptions(options)
      this.#checkAlive()
      if ((flags & FLAG_ONEWAY) === 0) return this.#link.transact(this, code, data, reply, options)
      this.#link.transactOneway(this, code, data)
      return Promise.resolve(true)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Only for memsvc's packages: like transact with FLAG_ONEWAY, but failures are thrown. */
  transactOneway(code: number, data: Parcel): void {
    this.#checkAlive()
    this.#link.transactOneway(this, code, data)
  }

  /** Only for `defineInterface`: like transact, but returns what `reader` reads from the answer. */
  transactFor<T>(code: number, data: Parcel, reader: ResultReader<T>, options: CallOptions | undefined): Promise<T> {
    this.#checkAlive()
    return this.#link.transactFor(this, code, data, reader, options)
  }

  /** Always null, because the implementation is in another process. */
  queryLocalInterface(_descriptor: string): IInterface | null {
    return null
  }

  /**
   * The name of the interface. It asks once and keeps the answer.
   * @throws as transact
   */
  async getInterfaceDescriptor(options: CallOptions = {}): Promise<string | null> {
    checkCallOptions(options)
    this.#descriptor ??= this.#askDescriptor()
    return within(options, 'the name of the interface', this.#descriptor)
  }

  /**
   * The second object that is offered beside this one, on the same channel (Android's `getExtension`). null if there is
   * none, or if its process does not know extensions. Close the proxy when you no longer need it.
   * @throws as transact
   */
  async getExtension(options: CallOptions = {}): Promise<IBinder | null> {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()
    try {
      return (await this.transact(EXTENSION_TRANSACTION, data, reply, 0, options)) ? reply.readStrongBinder() : null
    } finally {
      data.recycle()
      reply.recycle()
    }
  }

  /**
   * Whether the object answers, in the time that `options` allow; false on any error.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for bad options
   */
  async pingBinder(options: CallOptions = {}): Promise<boolean> {
    checkCallOptions(options)
    const data = Parcel.obtain()
    try {
      return await this.transact(PING_TRANSACTION, data, null, 0, options)
    } catch {
      return false
    } finally {
      data.recycle()
    }
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { object: this.#object, state: this.#state })
  }

  /** Whether the object lives, as far as is known: true until the channel ends. */
  isBinderAlive(): boolean {
    return this.#state === 'alive'
  }

  /**
   * Calls `recipient` once when the process of this object is gone. If you link it twice, it is called twice. A proxy
   * with links is kept as long as its channel lives.
   * @throws ERR_DEAD_OBJECT if it is gone already; ERR_CLOSED after close()
   */
  linkToDeath(recipient: DeathRecipient, flags = 0): void {
    checkRecipient(recipient)
    checkFlags(flags)
    this.#checkAlive()
    const tell = inContext('memsvc:DeathRecipient', (who: IBinder) => recipient.binderDied(who))
    this.#addLink({ recipient, flags, tell })
  }

  /**
   * Only for memsvc's packages: like linkToDeath, for a recipient that runs no code of yours, outside any async
   * context.
   */
  linkOwnToDeath(recipient: DeathRecipient): void {
    this.#checkAlive()
    this.#addLink({ recipient, flags: 0, tell: (who) => recipient.binderDied(who) })
  }

  #addLink(link: DeathLink): void {
    if (this.#links.length === 0) this.#links = [link]
    else this.#links.push(link)
    this.#link.retain(this)
  }

  /**
   * Removes one link of this recipient with these flags.
   * @returns true if it was removed; false if the object is dead, and the recipient was called or will be
   * @throws ERR_NO_SUCH_ELEMENT if it was never linked
   */
  unlinkToDeath(recipient: DeathRecipient, flags = 0): boolean {
    checkNotNull('recipient', recipient)
    checkFlags(flags)
    if (this.#state !== 'alive') return false
    const index = this.#links.findIndex((link) => link.recipient === recipient && link.flags === flags)
    if (index < 0) throw new NoSuchElementError('Death link does not exist')
    this.#links.splice(index, 1)
    if (this.#links.length === 0) this.#link.release(this)
    return true
  }

  /**
   * Releases the object. For a service that getService returned, this ends the channel, and with it every object that
   * was received over it. For other proxies it only gives this reference back. Idempotent. Death recipients are not
   * called.
   */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#links = []
    this.#link.drop(this)
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /** Only for its link: the channel has ended. */
  linkEnded(reason: Error): void {
    if (this.#state !== 'alive') return
    this.#state = 'dead'
    this.#reason = reason
    const links = this.#links
    this.#links = []
    for (const { tell } of links) {
      try {
        tell(this)
      } catch (error) {
        reportCallbackError('binderDied', error)
      }
    }
  }

  /** Only for memsvc's packages: the link that carries its calls. See `sessionOf`. */
  get link(): ProxyLink {
    return this.#link
  }

  /** Only for its link: the number of the object in the peer's table. */
  get objectNumber(): number {
    return this.#object
  }

  async #askDescriptor(): Promise<string | null> {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()
    try {
      await this.transact(INTERFACE_TRANSACTION, data, reply)
      return reply.readString()
    } catch (error) {
      this.#descriptor = undefined
      throw error
    } finally {
      data.recycle()
      reply.recycle()
    }
  }

  #checkAlive(): void {
    if (this.#state === 'closed') throw new ClosedError('this proxy was closed')
    if (this.#reason !== null) throw retold(this.#reason)
  }
}
