/**
 * Serves memsvc.IStore: who may read is handed the areas, who may write has the owner write. A client passes no descriptors, and what
 * it sends is bounded before it is kept.
 */
import process from 'node:process'
import { areaTypes } from 'memfd-native'
import { Binder } from '../binder/binder.ts'
import { BinderProxy } from '../binder/binder-proxy.ts'
import { type Caller, readsCallerSynchronously } from '../binder/calling-identity.ts'
import { readsInPlace } from '../binder/in-place.ts'
import type { ImplementationOf } from '../binder/interface.ts'
import { sessionOf } from '../binder/session.ts'
import { LAST_CALL_TRANSACTION } from '../binder/transaction-codes.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { countRefusal } from '../util/counters.ts'
import {
  ConflictError,
  IllegalStateError,
  InvalidArgValueError,
  NullPointerError,
  SecurityError,
  UnsupportedOperationError,
} from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { setImmediate } from '../util/timers.ts'
import { AreaHandouts } from './area-handouts.ts'
import { checkUpdate } from './edits.ts'
import type { StoreOrigin } from './origin.ts'
import { OriginCalls, type OriginRequest } from './origin-calls.ts'
import type { PutOptions, StoreCore } from './store-core.ts'
import {
  ANY_VERSION,
  type HandedArea,
  IStore,
  NO_TTL,
  type OriginRevision,
  type Outcome,
  type WireEdit,
} from './store-interface.ts'
import { checkKey } from './store-key.ts'
import type { StoreWatchers } from './store-watchers.ts'
import { Uploads } from './uploads.ts'

export interface StoreServiceParts {
  readonly core: StoreCore
  readonly watchers: StoreWatchers
  readonly mayWrite: (caller: Caller, key: string) => boolean
  /** Whether the caller may read the area of that number. */
  readonly mayRead: (caller: Caller, area: number) => boolean
  /** Null: a change may be answered now. Otherwise when this resolves. */
  readonly kept: () => Promise<void> | null
  /** Null: it is no copy. */
  readonly origin: StoreOrigin | null
}

/** As it came. */
interface Beginning {
  readonly owner: IBinder | null
  readonly key: string | null
  readonly type: number
  readonly byteLength: bigint
}

type Answer<T> = T | Promise<T>

/** So long a string is no prefix of a key. */
const MAX_PREFIX_UNITS = 512

export class StoreService extends IStore.Stub implements ImplementationOf<typeof IStore> {
  readonly #parts: StoreServiceParts
  readonly #uploads: Uploads
  readonly #handouts: AreaHandouts
  readonly #origin: OriginCalls | null
  #isClosed = false

  constructor(parts: StoreServiceParts) {
    super()
    this.#parts = parts
    this.#origin = parts.origin === null ? null : new OriginCalls(parts.origin, parts.core)
    this.#uploads = new Uploads(parts.core, {
      inBuffers: this.#origin !== null,
      onUnused: (owner) => this.#letGo(owner),
    })
    this.#handouts = new AreaHandouts(parts.core, parts.mayRead)
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  /** A part is copied to where it will be. */
  override [readsInPlace](code: number): boolean {
    return code === IStore.TRANSACTION_part
  }

  /** What users have of this store. */
  get used(): Record<string, number> {
    return this.#parts.core.ledger.totals
  }

  open(listener: IBinder | null): HandedArea[] {
    return this.#givenBackIfRefused(listener, () => {
      const caller = callerNow()
      const areas = this.#handouts.handOut(caller)
      try {
        if (listener !== null) this.#handouts.listen(listener, caller)
      } catch (error) {
        for (const { descriptor } of areas) descriptor.close()
        throw error
      }
      return areas
    })
  }

  set(key: string | null, type: number, bytes: Uint8Array | null, ifVersion: bigint, ttlMs: number): Answer<Outcome> {
    const put = this.#put(key, ttlMs)
    const value = { type: checkedType(type), bytes: checkedBytes(bytes) }
    const edit = { key: put.key, value, ifVersion: wanted(ifVersion) }
    if (this.#origin !== null) return this.#origin.update([edit], put)
    return this.#whenKept(outcomeOf(() => this.#parts.core.set(edit, put)))
  }

  delete(key: string | null, ifVersion: bigint): Answer<Outcome> {
    const put = this.#put(key, NO_TTL)
    const { payer } = put
    const edit = { key: put.key, value: null, ifVersion: wanted(ifVersion) }
    if (this.#origin !== null) return this.#origin.update([edit], put)
    return this.#whenKept(outcomeOf(() => this.#parts.core.update([edit], payer)))
  }

  update(edits: readonly WireEdit[]): Answer<Outcome> {
    checkUpdate(edits.length, this.#parts.core.limits)
    const caller = callerNow()
    const payer = payerOf(caller)
    const wantedEdits = edits.map(({ key, type, bytes, ifVersion }) => ({
      key: this.#put(key, NO_TTL).key,
      value: type === areaTypes.DELETED ? null : { type: checkedType(type), bytes: checkedBytes(bytes) },
      ifVersion: wanted(ifVersion),
    }))
    if (this.#origin !== null) return this.#origin.update(wantedEdits, { caller, ttlMs: undefined })
    const outcome = outcomeOf(
      () => this.#parts.core.update(wantedEdits, payer),
      (key) => edits.findIndex((edit) => edit.key === key),
    )
    return this.#whenKept(outcome)
  }

  increment(key: string | null, by: number, ttlMs: number): Answer<number> {
    const put = this.#put(key, ttlMs)
    if (!Number.isFinite(by)) throw new InvalidArgValueError('a value is incremented by a finite number')
    if (this.#origin !== null) return this.#origin.increment(put.key, by, put)
    return this.#whenKept(this.#parts.core.increment(put.key, by, put))
  }

  begin(owner: IBinder | null, key: string | null, type: number, byteLength: bigint): number {
    return this.#givenBackIfRefused(owner, () => this.#begin({ owner, key, type, byteLength }, null))
  }

  beginAs(owner: IBinder | null, key: string | null, type: number, byteLength: bigint, id: number): void {
    this.#givenBackIfRefused(owner, () => this.#begin({ owner, key, type, byteLength }, id))
  }

  #begin({ owner, key, type, byteLength }: Beginning, id: number | null): number {
    const put = this.#put(key, NO_TTL)
    if (owner === null) throw new NullPointerError('an upload ends with an object of its sender')
    if (byteLength < 0n || byteLength > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new InvalidArgValueError(`a value has no ${byteLength} bytes`)
    }
    const { uid } = callerNow()
    const start = {
      key: put.key,
      type: checkedType(type),
      byteLength: Number(byteLength),
      uid,
      payer: put.payer,
      owner,
    }
    return this.#uploads.begin(start, id)
  }

  part(id: number, position: bigint, bytes: Uint8Array | null): void {
    this.#uploads.part(id, Binder.getCallingUid(), position, checkedBytes(bytes))
  }

  commit(id: number, ifVersion: bigint, ttlMs: number): Answer<Outcome> {
    const { uid } = callerNow()
    // Who may write may have changed since it began.
    const checked = this.#put(this.#uploads.keyOf(id, uid), ttlMs)
    if (this.#origin !== null) {
      const { key, type, bytes } = this.#uploads.take(id, uid)
      return this.#origin.update([{ key, value: { type, bytes }, ifVersion: wanted(ifVersion) }], checked)
    }
    const put = { ifVersion: wanted(ifVersion), ttlMs: checkedTtl(ttlMs) }
    return this.#whenKept(outcomeOf(() => this.#uploads.commit(id, uid, put)))
  }

  abort(id: number): void {
    this.#uploads.abort(id, Binder.getCallingUid())
  }

  watch(callback: IBinder | null, prefix: string | null): void {
    this.#givenBackIfRefused(callback, () => this.#watch(callback, prefix))
  }

  #watch(callback: IBinder | null, prefix: string | null): void {
    if (callback === null || prefix === null) throw new NullPointerError('a watcher has a callback and a prefix')
    if (prefix.length > MAX_PREFIX_UNITS) throw new InvalidArgValueError('no key begins with so long a prefix')
    const caller = callerNow()
    const peer = callback instanceof BinderProxy ? sessionOf(callback) : callback
    this.#parts.watchers.add(callback, {
      prefix,
      account: this.#parts.core.ledger.accountOf(peer, caller.uid),
      sees: () => this.#handouts.readableBy(caller),
    })
  }

  unwatch(callback: IBinder | null): void {
    if (callback === null) throw new NullPointerError('Null callback')
    this.#parts.watchers.remove(callback)
  }

  acknowledge(callback: IBinder | null): void {
    if (callback !== null) this.#parts.watchers.acknowledge(callback)
  }

  origin(key: string | null): OriginRevision {
    checkKey(key)
    if (this.#origin === null) throw withoutStack(() => new UnsupportedOperationError('this store is no copy'))
    const { core, mayRead } = this.#parts
    const caller = callerNow()
    if (!mayRead(caller, core.reader.numberOf(key)))
      throw withoutStack(() => new SecurityError(`uid ${caller.uid} may not read this key`))
    return this.#origin.revisionOf(key)
  }

  /** The values are in other areas: everybody hears of it before anything is written to those. */
  moved(): void {
    this.#uploads.lose()
    this.#handouts.moved()
  }

  /** @throws ERR_ILLEGAL_STATE the store was closed, and the service lives on */
  override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
    // What it is, and that it is there, is answered all the same.
    if (this.#isClosed && code <= LAST_CALL_TRANSACTION)
      throw withoutStack(() => new IllegalStateError('the store was closed by its owner'))
    return super.onTransact(code, data, reply, flags)
  }

  /** Nobody is told any more, and everybody is refused. Readers are left when what is answered in this turn has been sent. */
  close(): void {
    this.#isClosed = true
    this.#uploads.close()
    setImmediate(() => this.#handouts.close())
  }

  /** A key that the caller may write, and how. @throws ERR_SECURITY, ERR_INVALID_ARG_VALUE */
  #put(key: string | null, ttlMs: number): PutOptions & OriginRequest & { key: string } {
    checkKey(key)
    const caller = callerNow()
    if (this.#parts.mayWrite(caller, key) !== true) {
      throw withoutStack(() => new SecurityError(`uid ${caller.uid} may not write this key`))
    }
    return { key, caller, payer: payerOf(caller), ttlMs: checkedTtl(ttlMs) }
  }

  /** Others see the change already; whoever asked for it hears of it when it is kept. */
  #whenKept<T>(answer: T): Answer<T> {
    const kept = this.#parts.kept()
    return kept === null ? answer : kept.then(() => answer)
  }

  /** An object that came with a call that is refused does not wait for the garbage collector, nor does its process. */
  #givenBackIfRefused<T>(object: IBinder | null, serve: () => T): T {
    try {
      return serve()
    } catch (error) {
      if (object !== null) this.#letGo(object)
      throw error
    }
  }

  #letGo(object: IBinder): void {
    if (!(object instanceof BinderProxy)) return
    const isUsed = this.#handouts.tells(object) || this.#parts.watchers.has(object) || this.#uploads.uses(object)
    if (!isUsed) object.close()
  }
}

function callerNow(): Caller {
  return { uid: Binder.getCallingUid(), pid: Binder.getCallingPid() }
}

/** Neither the owner's user nor root has a share. */
function payerOf({ uid }: Caller): number | null {
  return uid === 0 || uid === process.getuid?.() ? null : uid
}

function outcomeOf(change: () => bigint, editOf: (key: string) => number = () => 0): Outcome {
  try {
    return { isConflict: false, version: change(), edit: 0 }
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    countRefusal(error.code)
    return { isConflict: true, version: error.version, edit: editOf(error.key) }
  }
}

function wanted(ifVersion: bigint): bigint | undefined {
  return ifVersion === ANY_VERSION ? undefined : ifVersion
}

function checkedTtl(ttlMs: number): number | undefined {
  if (ttlMs === NO_TTL) return undefined
  if (ttlMs > 0 && ttlMs <= Number.MAX_SAFE_INTEGER) return ttlMs
  throw new InvalidArgValueError('a value ends after a positive number of milliseconds')
}

function checkedType(type: number): number {
  if (type === areaTypes.BYTES || type === areaTypes.JSON) return type
  throw new InvalidArgValueError(`there is no type ${type}`)
}

function checkedBytes(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new NullPointerError('a value has bytes')
  return bytes
}
