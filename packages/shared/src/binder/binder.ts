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
import * as codes from './transaction-codes.ts'

/** What an object of ours accepts. */
export interface BinderOptions {
  /**
   * Whether requests may carry descriptors. Default false: a foreign descriptor can be made to block its holder, so a
   * service says explicitly that it wants them. Of a published service this is settled by `addService`.
   */
  acceptFileDescriptors?: boolean
}

/**
 * The implementation of a remotable object. Whoever got it in a parcel, or by its name from the registry, may call it;
 * in its own process it is called directly.
 */
export class Binder implements IBinder {
  /** The first code that is free for methods: 1. */
  static readonly FIRST_CALL_TRANSACTION = codes.FIRST_CALL_TRANSACTION
  /** The last code that is free for methods: 16,777,215. */
  static readonly LAST_CALL_TRANSACTION = codes.LAST_CALL_TRANSACTION
  /** Answered for every object of another process; `_PNG`. */
  static readonly PING_TRANSACTION = codes.PING_TRANSACTION
  /** Asks for the name of the interface; `_NTF`. */
  static readonly INTERFACE_TRANSACTION = codes.INTERFACE_TRANSACTION
  /** Android's debugging output; unknown here unless an object serves it; `_DMP`. */
  static readonly DUMP_TRANSACTION = codes.DUMP_TRANSACTION
  /** The caller does not wait and learns nothing. */
  static readonly FLAG_ONEWAY = codes.FLAG_ONEWAY
  /** The data is secret. Accepted; it stays with the caller. */
  static readonly FLAG_CLEAR_BUF = codes.FLAG_CLEAR_BUF

  /** Whether requests to this object may carry descriptors. */
  readonly [acceptsFileDescriptors]: boolean
  #owner: IInterface | null = null
  #descriptor: string | null = null
  #extension: Binder | null = null

  /** For this project's own objects: see its symbol. */
  get [readsCallerSynchronously](): boolean {
    return false
  }

  /** For this project's own objects: see its symbol. */
  get [isBackground](): boolean {
    return false
  }

  /** For this project's own objects: see its symbol. */
  [readsInPlace](_code: number): boolean {
    return false
  }

  /** @throws ERR_NULL_POINTER, ERR_INVALID_ARG_TYPE `options` is no object, or what is in it */
  constructor(options: BinderOptions = {}) {
    checkOptions('options', options)
    const { acceptFileDescriptors = false } = options
    checkBoolean('acceptFileDescriptors', acceptFileDescriptors)
    this[acceptsFileDescriptors] = acceptFileDescriptors
    keepFromCloning(this)
  }

  /** Process id of the caller being served, 0 if the call is oneway; this process outside of a call. */
  static getCallingPid(): number {
    return identity.callingPid()
  }

  /** User id of the caller being served, by the kernel; this process' outside of a call. */
  static getCallingUid(): number {
    return identity.callingUid()
  }

  /** As getCallingUid. @throws ERR_ILLEGAL_STATE outside of a call, unless the identity was cleared. */
  static getCallingUidOrThrow(): number {
    return identity.callingUidOrThrow()
  }

  /** From here on this process is the caller. @returns a token > 0 for restoreCallingIdentity. */
  static clearCallingIdentity(): bigint {
    return identity.clearCallingIdentity()
  }

  /** Back to what it was before the clearCallingIdentity() that answered `token`. @throws ERR_INVALID_ARG_TYPE */
  static restoreCallingIdentity(token: bigint): void {
    identity.restoreCallingIdentity(token)
  }

  /** Nothing to do: calls leave at once, or wait for the peer. Here for code that comes from Android. */
  static flushPendingCommands(): void {}

  /** Bytes that a parcel should stay below: 65,536. */
  static getSuggestedMaxIpcSizeBytes(): number {
    return codes.SUGGESTED_MAX_IPC_BYTES
  }

  /** For console.log: what it is, in one line. */
  [inspected](): string {
    return introduce(this, { descriptor: this.#descriptor })
  }

  /** Associates an interface: `owner` is what queryLocalInterface(descriptor) gives. @throws ERR_INVALID_ARG_TYPE */
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
   * Offers another object beside this one, for those who know of it (Android's `setExtension`): they need not agree on
   * codes. null: none. The extension belongs to the caller.
   * @throws ERR_INVALID_ARG_TYPE no local Binder
   */
  setExtension(extension: Binder | null): void {
    if (extension !== null && !(extension instanceof Binder)) {
      throw new InvalidArgTypeError(`extension must be a local Binder or null, got ${show(extension)}`)
    }
    this.#extension = extension
  }

  /** What `setExtension` was given; null: nothing. */
  async getExtension(): Promise<IBinder | null> {
    return this.#extension
  }

  /** Always true: it is here. */
  async pingBinder(): Promise<boolean> {
    return true
  }

  /** Always true. */
  isBinderAlive(): boolean {
    return true
  }

  /** A local object cannot die before its process: nothing is linked. */
  linkToDeath(recipient: DeathRecipient, flags = 0): void {
    checkRecipient(recipient)
    checkFlags(flags)
  }

  /** Always true, also of a recipient that was never linked. */
  unlinkToDeath(_recipient: DeathRecipient, flags = 0): boolean {
    checkFlags(flags)
    return true
  }

  /**
   * Calls this object from its own process: `onTransact` runs at once, also when oneway, and what it throws arrives as
   * it is. Both parcels stay the caller's; they are rewound, the data before and the reply after.
   * @param options how long to wait for the answer; the parcels are in use for as long as the call goes on
   * @returns false when the code is not known
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
   * Serves one call. Override it; pass codes that are not yours on to `super`.
   * @param data the request: borrowed until the returned promise settles. Begins with the interface token.
   * @param reply to be filled in; written by nobody afterwards.
   * @returns false: the code is not known. An error that is thrown travels to the caller if its code has a number in
   *   docs/protocol.md; any other makes the caller's `transact` give false.
   */
  onTransact<Here extends boolean>(code: number, data: Parcel, reply: Parcel, flags: number): Here // of `super`: answered at once
  onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean>
  onTransact(code: number, _data: Parcel, reply: Parcel | null, _flags: number): boolean | Promise<boolean> {
    if (code === codes.INTERFACE_TRANSACTION) reply?.writeString(this.#descriptor)
    else if (code === codes.EXTENSION_TRANSACTION) reply?.writeStrongBinder(this.#extension)
    else return false
    return true
  }
}

/** Of a call, of a death link: 32 bits. */
export function checkFlags(flags: unknown): void {
  checkInteger('flags', flags, 0, 0xffffffff)
}

/** A parcel, or null where there is none; anything else is ERR_INVALID_ARG_TYPE. */
export function checkParcelOrNull(name: string, value: unknown): void {
  if (value === null || value instanceof Parcel) return
  throw new InvalidArgTypeError(`${name} must be a Parcel, got ${show(value)}`)
}

/** Something that can be told of a death; null is ERR_NULL_POINTER, anything else ERR_INVALID_ARG_TYPE. */
export function checkRecipient(recipient: unknown): void {
  checkNotNull('recipient', recipient)
  if (typeof (recipient as Partial<DeathRecipient>).binderDied === 'function') return
  throw new InvalidArgTypeError(`recipient must have a method binderDied, got ${show(recipient)}`)
}
