/**
 * Serves memsvc.IStore: who may read is handed the areas, who may write has the owner write. A client passes no descriptors, and what
 * it sends is bounded before it is kept.
 */
import { Binder } from '../binder/binder.ts'
import { BinderProxy } from '../binder/binder-proxy.ts'
import { readsCallerSynchronously } from '../binder/calling-identity.ts'
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
  UnsupportedOperationError,
} from '../util/errors.ts'
import { numbered } from '../util/service-errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { setImmediate } from '../util/timers.ts'
import { AreaHandouts } from './area-handouts.ts'
import { checkUpdate } from './edits.ts'
import type { StoreOrigin } from './origin.ts'
import { OriginCalls } from './origin-calls.ts'
import type { StoreCore } from './store-core.ts'
import { type HandedArea, IStore, NO_TTL, type OriginRevision, type Outcome, type WireEdit } from './store-interface.ts'
import { checkKey } from './store-key.ts'
import {
  callerNow,
  checkedBytes,
  checkedType,
  payerOf,
  StoreRequests,
  type StoreRights,
  wanted,
} from './store-requests.ts'
import type { StoreWatchers } from './store-watchers.ts'
import { Uploads } from './uploads.ts'

export interface StoreServiceParts extends StoreRights {
  readonly core: StoreCore
  readonly watchers: StoreWatchers
  /** Null: a change may be answered now. Otherwise when this resolves. */
  readonly kept: () => Promise<void> | null
  /** Null: it is no copy. */
  readonly origin: StoreOrigin | null
}

type Answer<T> = T | Promise<T>

/** So long a string is no prefix of a key. */
const MAX_PREFIX_UNITS = 512

export class StoreService extends IStore.Stub implements ImplementationOf<typeof IStore> {
  readonly #parts: StoreServiceParts
  readonly #requests: StoreRequests
  readonly #uploads: Uploads
  readonly #handouts: AreaHandouts
  readonly #origin: OriginCalls | null
  #isClosed = false

  constructor(parts: StoreServiceParts) {
    super()
    this.#parts = parts
    this.#requests = new StoreRequests(parts)
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
    const put = this.#requests.write(key, ttlMs)
    const value = { type: checkedType(type), bytes: checkedBytes(bytes) }
    const edit = { key: put.key, value, ifVersion: wanted(ifVersion) }
    if (this.#origin !== null) return this.#origin.update([edit], put)
    return this.#whenKept(outcomeOf(() => this.#parts.core.set(edit, put)))
  }

  delete(key: string | null, ifVersion: bigint): Answer<Outcome> {
    const put = this.#requests.write(key, NO_TTL)
    const { payer } = put
    const edit = { key: put.key, value: null, ifVersion: wanted(ifVersion) }
    if (this.#origin !== null) return this.#origin.update([edit], put)
    return this.#whenKept(outcomeOf(() => this.#parts.core.update([edit], payer)))
  }

  update(edits: readonly WireEdit[]): Answer<Outcome> {
    checkUpdate(edits.length, this.#parts.core.limits)
    const caller = callerNow()
    const payer = payerOf(caller)
    const wantedEdits = edits.map((edit) => this.#requests.edit(edit))
    if (this.#origin !== null) return this.#origin.update(wantedEdits, { caller, ttlMs: undefined })
    const outcome = outcomeOf(
      () => this.#parts.core.update(wantedEdits, payer),
      (key) => edits.findIndex((edit) => edit.key === key),
    )
    return this.#whenKept(outcome)
  }

  increment(key: string | null, by: number, ttlMs: number): Answer<number> {
    const put = this.#requests.write(key, ttlMs)
    if (!Number.isFinite(by)) throw new InvalidArgValueError('by must be a finite number')
    if (this.#origin !== null) return this.#origin.increment(put.key, by, put)
    return this.#whenKept(this.#parts.core.increment(put.key, by, put))
  }

  begin(owner: IBinder | null, key: string | null, type: number, byteLength: bigint): number {
    return this.#givenBackIfRefused(owner, () =>
      this.#uploads.begin(this.#requests.upload({ owner, key, type, byteLength }), null),
    )
  }

  beginAs(owner: IBinder | null, key: string | null, type: number, byteLength: bigint, id: number): void {
    this.#givenBackIfRefused(owner, () => {
      this.#uploads.begin(this.#requests.upload({ owner, key, type, byteLength }), id)
    })
  }

  part(id: number, position: bigint, bytes: Uint8Array | null): void {
    this.#uploads.part(id, Binder.getCallingUid(), position, checkedBytes(bytes))
  }

  commit(id: number, ifVersion: bigint, ttlMs: number): Answer<Outcome> {
    const { uid } = callerNow()
    return this.#uploads.complete(id, uid, (upload) => {
      // The rights to write may have changed since it began.
      const checked = this.#requests.write(upload.key, ttlMs)
      const put = { ifVersion: wanted(ifVersion), ttlMs: checked.ttlMs }
      if (this.#origin === null) return this.#whenKept(outcomeOf(() => upload.commit(put)))
      return this.#origin.update([{ key: upload.key, value: upload.take(), ifVersion: put.ifVersion }], checked)
    })
  }

  abort(id: number): void {
    this.#uploads.abort(id, Binder.getCallingUid())
  }

  watch(callback: IBinder | null, prefix: string | null): void {
    this.#givenBackIfRefused(callback, () => this.#watch(callback, prefix))
  }

  #watch(callback: IBinder | null, prefix: string | null): void {
    if (callback === null || prefix === null) throw new NullPointerError('a watcher needs a callback and a prefix')
    if (prefix.length > MAX_PREFIX_UNITS) throw new InvalidArgValueError('the prefix is longer than a key may be')
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
    if (this.#origin === null) throw withoutStack(() => new UnsupportedOperationError('this store is not a copy'))
    this.#requests.checkMayRead(this.#parts.core.reader.numberOf(key))
    return this.#origin.revisionOf(key)
  }

  /** The values are in other areas: all listeners are notified before anything is written to these. */
  moved(): void {
    this.#uploads.lose()
    this.#handouts.moved()
  }

  /** @throws ERR_ILLEGAL_STATE if the store was closed, while the service still exists */
  override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
    // What it is, and that it is there, is answered all the same.
    if (this.#isClosed && code <= LAST_CALL_TRANSACTION)
      throw withoutStack(() => new IllegalStateError('the store was closed by its owner'))
    return super.onTransact(code, data, reply, flags)
  }

  /**
   * From now on nobody is notified, and every call is refused. Channels of readers end after the answers of this turn
   * are sent.
   */
  close(): void {
    this.#isClosed = true
    this.#uploads.close()
    setImmediate(() => this.#handouts.close())
  }

  /** Others see the change already; the caller gets its answer when the change is kept. Where nothing has changed, at once. */
  #whenKept<T extends Outcome | number>(answer: T): Answer<T> {
    const hasChanged = typeof answer === 'number' || (!answer.isConflict && answer.version !== 0n)
    const kept = hasChanged ? this.#parts.kept() : null
    if (kept === null) return answer
    const whenDone = () => answer
    const whenFailed = (error: unknown) => {
      throw numbered(error)
    }
    return kept.then(whenDone, whenFailed)
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

function outcomeOf(change: () => bigint, editOf: (key: string) => number = () => 0): Outcome {
  try {
    return { isConflict: false, version: change(), edit: 0 }
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    countRefusal(error.code)
    return { isConflict: true, version: error.version, edit: editOf(error.key) }
  }
}
