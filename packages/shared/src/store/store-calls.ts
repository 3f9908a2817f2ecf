/**
 * Calls of a client to the owner of a store, each with a deadline. A call is sent at once if the owner is running, and
 * otherwise waits for the next owner. A call that was sent but not answered is not repeated, because it may have been
 * carried out.
 */
import { BinderProxy } from '../binder/binder-proxy.ts'
import { sessionOf } from '../binder/session.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { abortError } from '../util/abortable.ts'
import { ClosedError, ConflictError, errorCode } from '../util/errors.ts'
import { type CallOptions, checkCallOptions, Deadline } from '../util/patience.ts'
import type { CoreEdit } from './core-edit.ts'
import type { WriteOptions } from './edits.ts'
import type { Encoded } from './json.ts'
import { ANY_VERSION, NO_TTL, type Outcome } from './store-interface.ts'
import type { StoreLink, StoreOwner } from './store-link.ts'
import { INLINE_BYTES, type Step, upload } from './upload.ts'

/** Options of one change. The default of `timeoutMs` is 5,000 milliseconds. */
export interface SetOptions extends WriteOptions, CallOptions {}

type Present = (key: string) => { readonly value: unknown; readonly version: bigint }
type Act<T> = (owner: StoreOwner) => T | Promise<T>

const DEFAULT_TIMEOUT_MS = 5000

export class StoreCalls {
  readonly #link: StoreLink
  /** Uploads end with the channel of this object. */
  readonly #uploader: IBinder

  /** What a key has, as its reader sees it. */
  readonly #present: Present

  constructor(link: StoreLink, uploader: IBinder, present: Present) {
    this.#link = link
    this.#uploader = uploader
    this.#present = present
  }

  /** The version. Arguments were looked at, also below. */
  set(key: string, { type, bytes }: Encoded, options: SetOptions): Promise<bigint> {
    const { ifVersion = ANY_VERSION, ttlMs = NO_TTL } = options
    if (bytes.length > INLINE_BYTES) return this.#setLarge(key, { type, bytes }, options)
    // What is sent now is copied now.
    const kept = this.#link.owner === null ? bytes.slice() : bytes
    return this.#call(
      options,
      ({ store }) => store.set(key, type, kept, ifVersion, ttlMs),
      (outcome) => this.#versionOf(outcome, () => key),
    )
  }

  /** Whether there was a value. */
  delete(key: string, options: SetOptions): Promise<boolean> {
    const { ifVersion = ANY_VERSION } = options
    return this.#call(
      options,
      ({ store }) => store.delete(key, ifVersion),
      (outcome) => this.#versionOf(outcome, () => key) !== 0n,
    )
  }

  /** The sum. */
  increment(key: string, by: number, options: SetOptions): Promise<number> {
    return this.#call(
      options,
      ({ store }) => store.increment(key, by, options.ttlMs ?? NO_TTL),
      (sum) => sum,
    )
  }

  /** The version of all of them; 0n: nothing was to be changed. */
  update(edits: readonly CoreEdit[], options: CallOptions): Promise<bigint> {
    const wire = edits.map(({ key, value, ifVersion = ANY_VERSION }) => ({
      key,
      type: value?.type ?? 0,
      bytes: value === null ? null : this.#link.owner === null ? value.bytes.slice() : value.bytes,
      ifVersion,
    }))
    return this.#call(
      options,
      ({ store }) => store.update(wire),
      (outcome) => this.#versionOf(outcome, (edit) => edits[edit]?.key ?? ''),
    )
  }

  /** Of a copy: the revision of its origin. */
  origin(key: string, options: CallOptions): Promise<bigint> {
    return this.#call(
      options,
      ({ store }) => store.origin(key),
      ({ revision }) => revision,
    )
  }

  #setLarge(key: string, value: Encoded, options: SetOptions): Promise<bigint> {
    const { ifVersion = ANY_VERSION, ttlMs = NO_TTL } = options
    let givenUp: Error | null = null
    const step: Step = (answer) => {
      if (givenUp === null) return answer
      answer.catch(() => undefined)
      return Promise.reject(givenUp)
    }
    const request = { key, value, ifVersion, ttlMs, owner: this.#uploader, step }
    const put = async ({ store, binder }: StoreOwner): Promise<Outcome> =>
      binder instanceof BinderProxy ? upload(store, request) : store.set(key, value.type, value.bytes, ifVersion, ttlMs)
    const finish = (outcome: Outcome) => this.#versionOf(outcome, () => key)
    // Parts that nobody waits for any more are not sent, nor is the value put.
    return this.#call(options, put, finish, (error) => {
      givenUp = error
    })
  }

  /**
   * @param finish makes the result from the answer
   * @param onGivenUp called once if nobody waits for it any more
   */
  #call<T, R>(
    options: CallOptions,
    act: Act<T>,
    finish: (result: T) => R,
    onGivenUp?: (error: Error) => void,
  ): Promise<R> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options
    checkCallOptions(options)
    const begin = () => new Deadline({ signal, timeoutMs }, 'the store', onGivenUp)
    const { owner } = this.#link
    if (signal?.aborted) return Promise.reject(abortError(signal)) // and nothing is sent
    if (owner === null) return this.#callLater(begin(), act, finish)
    const work = attempt(act, owner)
    // Behind the sending: the owner has begun with it.
    const deadline = begin()
    // Which is nearly always so: no promise more than are needed.
    if (!isGone(owner.binder)) return deadline.waitLast(work, finish)
    return this.#callLater(deadline, act, finish, { owner, work })
  }

  async #callLater<T, R>(
    deadline: Deadline,
    act: Act<T>,
    finish: (result: T) => R,
    begun?: { owner: StoreOwner; work: Promise<T> },
  ): Promise<R> {
    try {
      for (let attempted = begun; ; attempted = undefined) {
        const owner: StoreOwner = attempted?.owner ?? (await this.#untilThere(deadline))
        const work: Promise<T> = attempted?.work ?? attempt(act, owner)
        const wasSent = !isGone(owner.binder)
        try {
          return finish(await deadline.wait(work))
        } catch (error) {
          if (wasSent || errorCode(error) !== 'ERR_DEAD_OBJECT') throw error
          this.#link.lost(owner.binder)
        }
      }
    } finally {
      deadline.end()
    }
  }

  /** @throws ERR_CONFLICT, with what the key has */
  #versionOf({ isConflict, version, edit, revision = 0n }: Outcome, keyOf: (edit: number) => string): bigint {
    if (!isConflict) return version
    const key = keyOf(edit)
    const { value, version: seen } = this.#present(key)
    const origin = revision > 0n ? { revision } : {}
    throw new ConflictError(key, version, seen === version ? { value, ...origin } : origin)
  }

  async #untilThere(deadline: Deadline): Promise<StoreOwner> {
    for (let { owner } = this.#link; ; { owner } = this.#link) {
      if (owner !== null) return owner
      const stopLooking = this.#link.keepLooking()
      try {
        await deadline.wait(this.#link.untilUp())
      } finally {
        stopLooking()
      }
      if (this.#link.isClosed) throw new ClosedError('the store was closed')
    }
  }
}

function attempt<T>(act: Act<T>, owner: StoreOwner): Promise<T> {
  try {
    return Promise.resolve(act(owner))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** What was said to it last did not reach it. */
function isGone(binder: IBinder): boolean {
  return binder instanceof BinderProxy && sessionOf(binder).channel.isPeerGone
}
