/**
 * Values that arrive in parts. Each part is copied from its parcel to the place in the area where the value will be;
 * readers do not see it before the commit. An upload ends with its commit, its abort, the channel of its sender, or if
 * no part arrives for long.
 */

import { BinderProxy } from '../binder/binder-proxy.ts'
import { sessionOf } from '../binder/session.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { INT_MAX } from '../util/check.ts'
import { IllegalStateError, InvalidArgValueError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { clearTimeout, now, setTimeout } from '../util/timers.ts'
import type { OwnedArea } from './owned-area.ts'
import type { StoreCore } from './store-core.ts'
import type { StoreAccount } from './store-ledger.ts'

/** What is said at the beginning. */
export interface UploadStart {
  readonly key: string
  /** `areaTypes`: BYTES or JSON */
  readonly type: number
  readonly byteLength: number
  /** Who sends it. */
  readonly uid: number
  /** Who pays for it; null: nobody. */
  readonly payer: number | null
  /** The channel that it ends with is this object's. */
  readonly owner: IBinder
}

interface Upload extends UploadStart {
  readonly id: number
  /** Where it will be, and how often that area had moved then. */
  readonly area: OwnedArea
  readonly moves: number
  readonly block: number
  /**
   * For a copy, whose values go to the origin first: the buffer that collects the parts. null: they go to the block.
   */
  readonly bytes: Uint8Array | null
  readonly account: StoreAccount
  readonly refund: () => void
  readonly death: { binderDied: () => void }
  /** Which bytes are there: everything before. Parts come in order. */
  received: number
  /** By `now()`. */
  heardAt: number
}

/** An upload of which all parts have come. */
export interface CompleteUpload {
  readonly key: string
  /** It is the value. @returns its version. @throws as StoreCore.setBlock */
  readonly commit: (put: { ifVersion: bigint | undefined; ttlMs: number | undefined }) => bigint
  /** Instead of that, if it was collected in a buffer. */
  readonly take: () => { type: number; bytes: Uint8Array }
}

export interface UploadsOptions {
  /** Their bytes are not to be in the area: `take` has them. */
  readonly inBuffers: boolean
  /** Told when no upload ends with this object any more. */
  readonly onUnused: (owner: IBinder) => void
}

export class Uploads {
  readonly #core: StoreCore
  readonly #open = new Map<number, Upload>()
  #lastId = 0
  #timer: NodeJS.Timeout | undefined

  readonly #options: UploadsOptions

  constructor(core: StoreCore, options: UploadsOptions) {
    this.#core = core
    this.#options = options
  }

  /** Whether an upload ends with this object. */
  uses(owner: IBinder): boolean {
    for (const upload of this.#open.values()) if (upload.owner === owner) return true
    return false
  }

  /**
   * @param id its number, which its sender chose; null: any
   * @returns its number. @throws ERR_INVALID_ARG_VALUE it cannot have that; ERR_LIMIT; ERR_DEAD_OBJECT its owner is gone
   */
  begin(start: UploadStart, id: number | null): number {
    if (id !== null) this.#checkFree(id)
    const { key, type, byteLength, uid, payer, owner } = start
    const area = this.#core.areaOf(key)
    this.#core.checkValue(byteLength)
    const account = this.#core.ledger.accountOf(owner instanceof BinderProxy ? sessionOf(owner) : owner, uid)
    account.charge('uploads')
    let refund = (): void => undefined
    try {
      refund = this.#core.holdings.hold(payer, key, byteLength)
      const bytes = this.#options.inBuffers ? new Uint8Array(byteLength) : null
      const block = bytes === null ? area.reserve(byteLength, type) : NO_BLOCK
      return this.#add(start, { id: id ?? this.#nextId(), area, moves: area.moves, block, bytes, account, refund })
    } catch (error) {
      refund()
      account.refund('uploads')
      throw error
    }
  }

  /** The next part. @throws ERR_ILLEGAL_STATE no upload of this caller's; ERR_INVALID_ARG_VALUE not where the last one ended */
  part(id: number, uid: number, position: bigint, bytes: Uint8Array): void {
    const upload = this.#of(id, uid)
    if (position !== BigInt(upload.received) || bytes.length > upload.byteLength - upload.received) {
      throw new InvalidArgValueError(
        `${bytes.length} bytes at ${position} are not the next part of the ${upload.byteLength} bytes`,
      )
    }
    if (upload.bytes === null) upload.area.write(upload.block, upload.received, bytes)
    else upload.bytes.set(bytes, upload.received)
    upload.received += bytes.length
    upload.heardAt = now()
  }

  /**
   * Has it committed or taken. It is over after that, also if `finish` throws.
   * @throws ERR_ILLEGAL_STATE no upload of this caller's, or parts are missing, and it stays open; what `finish` throws
   */
  complete<T>(id: number, uid: number, finish: (upload: CompleteUpload) => T): T {
    const upload = this.#of(id, uid)
    checkWhole(upload)
    const { key, type, bytes } = upload
    try {
      return finish({
        key,
        commit: (put) => this.#commit(upload, put),
        take: () => ({ type, bytes: bytes as Uint8Array }),
      })
    } finally {
      this.#abandon(upload)
    }
  }

  /** It is not wanted any more. @throws ERR_ILLEGAL_STATE no upload of this caller's */
  abort(id: number, uid: number): void {
    this.#abandon(this.#of(id, uid))
  }

  /** Values are in other areas now: uploads into the old ones are lost, and their senders get an error. */
  lose(): void {
    for (const upload of [...this.#open.values()])
      if (upload.bytes === null && upload.area.moves !== upload.moves) this.#forget(upload)
  }

  close(): void {
    for (const upload of [...this.#open.values()]) this.#abandon(upload)
  }

  #commit(upload: Upload, put: { ifVersion: bigint | undefined; ttlMs: number | undefined }): bigint {
    const { key, type, byteLength, block, payer } = upload
    upload.refund() // from here on it is charged as what it will be
    const version = this.#core.setBlock(key, block, { type, bytes: byteLength, payer, ...put })
    this.#forget(upload)
    return version
  }

  #add(
    start: UploadStart,
    made: Pick<Upload, 'id' | 'area' | 'moves' | 'block' | 'bytes' | 'account' | 'refund'>,
  ): number {
    const { id } = made
    const death = { binderDied: () => this.#abandon(upload) }
    const upload: Upload = { ...start, ...made, death, received: 0, heardAt: now() }
    try {
      start.owner.linkToDeath(death)
    } catch (error) {
      if (made.bytes === null) made.area.abandon(made.block)
      throw error
    }
    this.#open.set(id, upload)
    this.#look()
    return id
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === INT_MAX ? 1 : this.#lastId + 1
    while (this.#open.has(this.#lastId))
    return this.#lastId
  }

  /** Those of senders are negative, ours positive. */
  #checkFree(id: number): void {
    if (id < 0 && !this.#open.has(id)) return
    throw new InvalidArgValueError(`the client cannot choose ${id} for its upload: it must be negative and not in use`)
  }

  #of(id: number, uid: number): Upload {
    const upload = this.#open.get(id)
    if (upload === undefined || upload.uid !== uid) {
      throw withoutStack(() => new IllegalStateError(`there is no upload ${id}: it has ended, or was never begun`))
    }
    return upload
  }

  #abandon(upload: Upload): void {
    if (!this.#open.has(upload.id)) return
    if (upload.bytes === null) upload.area.abandon(upload.block)
    this.#forget(upload)
  }

  #forget(upload: Upload): void {
    this.#open.delete(upload.id)
    upload.refund()
    upload.account.refund('uploads')
    if (upload.owner.isBinderAlive()) upload.owner.unlinkToDeath(upload.death)
    this.#options.onUnused(upload.owner)
    if (this.#open.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Gives up those from which nothing has come for long; again, as long as there are any. */
  #look(): void {
    if (this.#timer !== undefined) return
    const pauseMs = this.#core.limits.uploadPause
    const look = (): void => {
      this.#timer = undefined
      const latest = now() - pauseMs
      for (const upload of [...this.#open.values()]) if (upload.heardAt <= latest) this.#abandon(upload)
      if (this.#open.size > 0) this.#look()
    }
    this.#timer = setTimeout(look, Math.max(pauseMs / 4, 1)).unref()
  }
}

/** It is in no area. */
const NO_BLOCK = 0

/** @throws ERR_ILLEGAL_STATE */
function checkWhole({ received, byteLength }: Upload): void {
  if (received < byteLength)
    throw new IllegalStateError(`the upload is not complete: ${received} of ${byteLength} bytes have arrived`)
}
