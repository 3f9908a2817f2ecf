/**
 * The local half of a remotable object (android.os.Binder): extend it and serve calls in `onTransact`, or let
 * `defineInterface` do that from a table.
 */

import { inspected, introduce, keepFromCloning } from 'memfd-native'
import type { DeathRecipient, IBinder, IInterface } from '../parcel/ibinder.ts'
import { acceptsFileDescriptors } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import {
  checkBoolean,
  checkInteger,
  checkNotNull,
  checkObject,
  checkOptions,
  checkString,
  show,
} from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'
import { type CallOptions, checkCallOptions, within } from '../util/patience.ts'
import { isBackground } from './background.ts'
import * as identity from './calling-identity.ts'
import { readsCallerSynchronously } from './calling-identity.ts'
import { readsInPlace } from './in-place.ts'
import {
  DUMP_TRANSACTION,
  EXTENSION_TRANSACTION,
  FIRST_CALL_TRANSACTION,
  FLAG_CLEAR_BUF,
  FLAG_ONEWAY,
  INTERFACE_TRANSACTION,
  LAST_CALL_TRANSACTION,
  PING_TRANSACTION,
  SUGGESTED_MAX_IPC_BYTES,
} from './transaction-codes.ts'

/** What a Binder accepts. */
export interface BinderOptions {
  /**
   * Whether requests may carry descriptors. The default is false: a descriptor from somebody else can block the process
   * that uses it, so a service must ask for them. For a published service, `addService` fixes this.
   */
  acceptFileDescriptors?: boolean
}

/**
 * An object that other processes can call (android.os.Binder). A process that received it in a parcel, or found it by
 * its name in the registry, may call it. In its own process it is called directly.
 */
export class Binder implements IBinder {
  /** The first code that is free for methods: 1. */
  static readonly FIRST_CALL_TRANSACTION = FIRST_CALL_TRANSACTION
  /** The last code that is free for methods: 16,777,215. */
  static readonly LAST_CALL_TRANSACTION = LAST_CALL_TRANSACTION
  /** Asks whether the object answers; every object of another process does (`_PNG`). */
  static readonly PING_TRANSACTION = PING_TRANSACTION
  /** Asks for the name of the interface (`_NTF`). */
  static readonly INTERFACE_TRANSACTION = INTERFACE_TRANSACTION
  /** Asks for Android's debugging output. It is unknown here unless an object serves it (`_DMP`). */
  static readonly DUMP_TRANSACTION = DUMP_TRANSACTION
  /** The caller does not wait, and does not learn the result. */
  static readonly FLAG_ONEWAY = FLAG_ONEWAY
  /** The data is secret. The flag is accepted, but has no effect here. */
  static readonly FLAG_CLEAR_BUF = FLAG_CLEAR_BUF

  /** Whether requests to this object may carry descriptors. */
  readonly [acceptsFileDescriptors]: boolean
  #owner: IInterface | null = null
  #descriptor: string | null = null
  #extension: Binder | null = null

  /** Only for memsvc's own objects: see the symbol. */
  get [readsCallerSynchronously](): boolean {
    return false
  }

  /** Only for memsvc's own objects: see the symbol. */
  get [isBackground](): boolean {
    return false
  }

  /** Only for memsvc's own objects: see the symbol. */
  [readsInPlace](_code: number): boolean {
    return false
  }

  /** @throws ERR_NULL_POINTER, ERR_INVALID_ARG_TYPE if `options` is not an object, or has a wrong member */
  constructor(options: BinderOptions = {}) {
    checkOptions('options', options)
    const { acceptFileDescriptors = false } = options
    checkBoolean('acceptFileDescriptors', acceptFileDescriptors)
    this[acceptsFileDescriptors] = acceptFileDescriptors
    keepFromCloning(this)
  }

  /**
   * The process id of the caller that is being served; 0 if the call is oneway. Outside a call, the id of this process.
   */
  static getCallingPid(): number {
    return identity.callingPid()
  }

  /** The user id of the caller that is being served, as the kernel reports it. Outside a call, that of this process. */
  static getCallingUid(): number {
    return identity.callingUid()
  }

  /**
   * As getCallingUid.
   * @throws ERR_ILLEGAL_STATE outside of a call, unless the identity was cleared.
   */
  static getCallingUidOrThrow(): number {
    return identity.callingUidOrThrow()
  }

  /**
   * Makes this process the caller from here on.
   * @returns a token > 0 for restoreCallingIdentity.
   */
  static clearCallingIdentity(): bigint {
    return identity.clearCallingIdentity()
  }

  /**
   * Restores the identity from before the clearCallingIdentity() call that returned `token`.
   * @throws ERR_INVALID_ARG_TYPE
   */
  static restoreCallingIdentity(token: bigint): void {
    identity.restoreCallingIdentity(token)
  }

  /** Does nothing: calls are sent at once, or wait for the peer. It exists for code that comes from Android. */
  static flushPendingCommands(): void {}

  /** The number of bytes that a parcel should stay below: 65,536. */
  static getSuggestedMaxIpcSizeBytes(): number {
    return SUGGESTED_MAX_IPC_BYTES
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { descriptor: this.#descriptor })
  }

  /**
   * Attaches an interface: queryLocalInterface(descriptor) returns `owner` from now on.
   * @throws ERR_INVALID_ARG_TYPE
   */
  attachInterface(owner: IInterface | null, descriptor: string): void {
    if (owner !== null) checkObject('owner', owner)
    checkString('descriptor', descriptor)
    this.#owner = owner
    this.#descriptor = descriptor
  }

  queryLocalInterface(descriptor: string): IInterface | null {
    return this.#descriptor !== null && this.#descriptor === descriptor ? this.#owner : null
  }

  async getInterfaceDescriptor(): Promise<string | null> {
    return this.#descriptor
  }

  /**
   * Offers a second object beside this one, with an interface of its own, to callers that ask for it (Android's
   * `setExtension`). null removes it. The extension still belongs to you.
   * @throws ERR_INVALID_ARG_TYPE if it is not a local Binder
   */
  setExtension(extension: Binder | null): void {
    if (extension !== null && !(extension instanceof Binder)) {
      throw new InvalidArgTypeError(`extension must be a local Binder or null, got ${show(extension)}`)
    }
    this.#extension = extension
  }

  /** The object given to `setExtension`, or null. */
  async getExtension(): Promise<IBinder | null> {
    return this.#extension
  }

  /** Always true, because the object is in this process. */
  async pingBinder(): Promise<boolean> {
    return true
  }

  /** Always true. */
  isBinderAlive(): boolean {
    return true
  }

  /** Does nothing, because a local object cannot die before its process. */
  linkToDeath(recipient: DeathRecipient, flags = 0): void {
    checkRecipient(recipient)
    checkFlags(flags)
  }

  /** Always true, also for a recipient that was never linked. */
  unlinkToDeath(_recipient: DeathRecipient, flags = 0): boolean {
    checkFlags(flags)
    return true
  }

  /**
   * Calls this object from its own process. `onTransact` runs at once, also for a oneway call, and its errors reach you
   * unchanged. Both parcels stay yours. The data is rewound before the call, and the reply after it.
   * @param options how long to wait for the answer; the parcels are in use until the call has ended, also if you stop
   *   waiting
   * @returns false if the object does not know the code
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE an argument; ERR_CLOSED a recycled parcel
   */
  async transact(
    code: number,
    data: Parcel,
    reply: Parcel | null = null,
    flags = 0,
    options: CallOptions = {},
  ): Promise<boolean> {
    checkInteger('code', code, 0, 0xffffffff)
    checkFlags(flags)
    checkParcelOrNull('data', data)
    checkParcelOrNull('reply', reply)
    checkCallOptions(options)
    data?.setDataPosition(0)
    const isKnown = await within(
      options,
      'the call',
      Promise.resolve(this.onTransact(code, data, reply as Parcel, flags)),
    )
    reply?.setDataPosition(0)
    return isKnown
  }

  /**
   * Serves one call. Override it, and pass codes that you do not know on to `super`.
   * @param data the request. It begins with the interface token. It is lent to you until the returned promise settles.
   * @param reply fill it in. You must not write to it after the returned promise has settled.
   * @returns false if the code is not known. An error that you throw reaches the caller if its code has a number in
   *   docs/protocol.md. For any other error the caller's `transact` returns false.
   */
  onTransact<Here extends boolean>(code: number, data: Parcel, reply: Parcel, flags: number): Here // of `super`: answered at once
  onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean>
  onTransact(code: number, _data: Parcel, reply: Parcel | null, _flags: number): boolean | Promise<boolean> {
    if (code === INTERFACE_TRANSACTION) reply?.writeString(this.#descriptor)
    else if (code === EXTENSION_TRANSACTION) reply?.writeStrongBinder(this.#extension)
    else return false
    return true
  }
}

/** Of a call, of a death link: 32 bits. */
export function checkFlags(flags: unknown): void {
  checkInteger('flags', flags, 0, 0xffffffff)
}

/** A parcel or null; anything else is ERR_INVALID_ARG_TYPE. */
export function checkParcelOrNull(name: string, value: unknown): void {
  if (value === null || value instanceof Parcel) return
  throw new InvalidArgTypeError(`${name} must be a Parcel, got ${show(value)}`)
}

/** A death recipient; null is ERR_NULL_POINTER, anything else ERR_INVALID_ARG_TYPE. */
export function checkRecipient(recipient: unknown): void {
  checkNotNull('recipient', recipient)
  if (typeof (recipient as Partial<DeathRecipient>).binderDied === 'function') return
  throw new InvalidArgTypeError(`recipient must have a method binderDied, got ${show(recipient)}`)
}
