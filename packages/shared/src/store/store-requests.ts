/** Checks a call of IStore: whether its caller has the right, who is charged, and whether its arguments are valid. */
import process from 'node:process'
import { areaTypes } from 'memfd-native'
import { Binder } from '../binder/binder.ts'
import type { Caller } from '../binder/calling-identity.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { InvalidArgValueError, NullPointerError, SecurityError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import type { CoreEdit } from './core-edit.ts'
import type { OriginRequest } from './origin-calls.ts'
import type { PutOptions } from './payments.ts'
import { ANY_VERSION, NO_TTL, type WireEdit } from './store-interface.ts'
import { checkKey } from './store-key.ts'
import type { UploadStart } from './uploads.ts'

/** Who may do what. */
export interface StoreRights {
  readonly mayWrite: (caller: Caller, key: string) => boolean
  /** Whether the caller may read the area of that number. */
  readonly mayRead: (caller: Caller, area: number) => boolean
}

/** A key that the caller may write, and how. */
export interface WriteRequest extends PutOptions, OriginRequest {
  readonly key: string
  readonly ttlMs: number | undefined
}

/** An upload, as it came. */
export interface Beginning {
  readonly owner: IBinder | null
  readonly key: string | null
  readonly type: number
  readonly byteLength: bigint
}

/** Of the call that is being served. */
export class StoreRequests {
  readonly #rights: StoreRights

  constructor(rights: StoreRights) {
    this.#rights = rights
  }

  /** @throws ERR_SECURITY, ERR_INVALID_ARG_VALUE */
  write(key: string | null, ttlMs: number): WriteRequest {
    checkKey(key)
    const caller = callerNow()
    if (this.#rights.mayWrite(caller, key) !== true) {
      throw withoutStack(() => new SecurityError(`uid ${caller.uid} may not write this key`))
    }
    return { key, caller, payer: payerOf(caller), ttlMs: checkedTtl(ttlMs) }
  }

  /** One of several, which do not end by themselves. @throws as write */
  edit({ key, type, bytes, ifVersion }: WireEdit): CoreEdit {
    return {
      key: this.write(key, NO_TTL).key,
      value: type === areaTypes.DELETED ? null : { type: checkedType(type), bytes: checkedBytes(bytes) },
      ifVersion: wanted(ifVersion),
    }
  }

  /** @throws as write */
  upload({ owner, key, type, byteLength }: Beginning): UploadStart {
    const { key: writable, caller, payer } = this.write(key, NO_TTL)
    if (owner === null) throw new NullPointerError('an upload needs an object of its sender')
    if (byteLength < 0n || byteLength > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new InvalidArgValueError(`a value cannot have ${byteLength} bytes`)
    }
    return { key: writable, type: checkedType(type), byteLength: Number(byteLength), uid: caller.uid, payer, owner }
  }

  /** @throws ERR_SECURITY the caller may not read this area */
  checkMayRead(area: number): void {
    const caller = callerNow()
    if (this.#rights.mayRead(caller, area)) return
    throw withoutStack(() => new SecurityError(`uid ${caller.uid} may not read this key`))
  }
}

export function callerNow(): Caller {
  return { uid: Binder.getCallingUid(), pid: Binder.getCallingPid() }
}

/** Neither the owner's user nor root has a share. */
export function payerOf({ uid }: Caller): number | null {
  return uid === 0 || uid === process.getuid?.() ? null : uid
}

export function wanted(ifVersion: bigint): bigint | undefined {
  return ifVersion === ANY_VERSION ? undefined : ifVersion
}

function checkedTtl(ttlMs: number): number | undefined {
  if (ttlMs === NO_TTL) return undefined
  if (ttlMs > 0 && ttlMs <= Number.MAX_SAFE_INTEGER) return ttlMs
  throw new InvalidArgValueError('ttlMs must be a positive number of milliseconds')
}

export function checkedType(type: number): number {
  if (type === areaTypes.BYTES || type === areaTypes.JSON) return type
  throw new InvalidArgValueError(`there is no type of values ${type}`)
}

export function checkedBytes(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new NullPointerError('the bytes of the value are missing')
  return bytes
}
