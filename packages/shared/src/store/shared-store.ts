/**
 * A store as its readers see it: found by the registry, its areas mapped read-only, read at memory speed, and followed over deaths and
 * restarts of its owner. Reads are synchronous and never torn, and while the owner lives never stale: the next get after a set has
 * resolved anywhere sees it. The owner's half is `owned-store.ts`.
 */
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { type ConnectOptions, noService, ServiceManager } from '../service-manager/service-manager.ts'
import { checkBoolean, checkOptions, checkSignal, checkString, show } from '../util/check.ts'
import { ClosedError, InvalidArgTypeError, InvalidArgValueError } from '../util/errors.ts'
import { ANSWER_TIMEOUT_MS, type CallOptions, within } from '../util/patience.ts'
import { checkBy, checkTtl, checkWriteOptions, readEdits, type StoreEdit } from './edits.ts'
import { type DeepReadonly, encode, type Json } from './json.ts'
import { storeLimits } from './limits.ts'
import type { StoreChange, StoreSnapshotEntry } from './reading.ts'
import { StoreAttachment, type StoreStatus } from './store-attachment.ts'
import { type SetOptions, StoreCalls } from './store-calls.ts'
import type { ChangesOptions } from './store-changes.ts'
import { StoreEntry } from './store-entry.ts'
import { checkKey, isPrefix } from './store-key.ts'
import { DEFAULT_STORE_NAME } from './store-name.ts'
import type { ReadBytesOptions, StoreReader } from './store-reader.ts'

/** Where the registry is; or who knows it. */
export interface OpenOptions extends Pick<ConnectOptions, 'path' | 'scope' | 'signal'> {
  /** Finds the store, and is not closed with it. Default: one of its own, by `path` or `scope`. */
  manager?: ServiceManager | undefined
}

/** The owner has its own; these are only to refuse early what no owner takes. */
const LIMITS = storeLimits()

/** Owns its areas' mappings and its channel, and the registry's where it has made that, until `close()`. Keeps no process alive. */
export class SharedStore implements Iterable<[string, Json]> {
  readonly #name: string
  readonly #attachment: StoreAttachment
  readonly #reader: StoreReader
  readonly #calls: StoreCalls
  readonly #manager: ServiceManager
  readonly #ownsManager: boolean
  #isClosed = false

  private constructor(name: string, manager: ServiceManager, ownsManager: boolean) {
    this.#name = name
    this.#manager = manager
    this.#ownsManager = ownsManager
    keepFromCloning(this)
    this.#attachment = new StoreAttachment(manager, name)
    this.#reader = this.#attachment.reader
    this.#calls = new StoreCalls(this.#attachment.link, this.#attachment.listener, (key) => this.#presentOf(key))
  }

  /**
   * Finds a store and maps what this user may read of it.
   * @throws ERR_SERVICE_NOT_FOUND; AbortError; ERR_NOT_A_REGION or ERR_UNSAFE_REGION it hands out something else; as ServiceManager.connect, getService
   */
  static async open(name: string = DEFAULT_STORE_NAME, options: OpenOptions = {}): Promise<SharedStore> {
    checkString('name', name)
    checkOptions('options', options)
    const { manager, ...place } = options
    checkSignal(place.signal)
    if (manager !== undefined && !(manager instanceof ServiceManager)) {
      throw new InvalidArgTypeError(`manager must be a ServiceManager, got ${show(manager)}`)
    }
    const own = manager ?? (await ServiceManager.connect(place))
    const store = new SharedStore(name, own, manager === undefined)
    try {
      const patience = { signal: place.signal, timeoutMs: ANSWER_TIMEOUT_MS }
      if (!(await within(patience, `opening ${name}`, store.#attachment.link.find()))) throw noService(name, own.path)
      return store
    } catch (error) {
      store.close()
      throw error
    }
  }

  /**
   * The value now. JSON is frozen, and the same object while it is unchanged and kept; bytes are a fresh copy each time; undefined: absent.
   * @throws ERR_INVALID_ARG_VALUE no key; ERR_CLOSED; ERR_BAD_PARCEL the owner wrote what no owner writes; ERR_LIMIT above 512 MiB, or
   *   the owner is faster than every try
   */
  get<T = Json>(key: string): DeepReadonly<T> | Uint8Array | undefined {
    const cached = this.#reader.cached(key)
    return (cached === undefined ? this.#reader.get(key) : cached.value) as DeepReadonly<T> | Uint8Array | undefined
  }

  /** For console.log: what it is, in one line. */
  [inspected](): string {
    return introduce(this, {
      name: this.#name,
      keys: this.#isClosed ? undefined : this.size,
      state: this.#isClosed ? 'closed' : this.status.state,
    })
  }

  /** The value's bytes, of JSON its text in UTF-8: a copy. @throws as get */
  getBytes(key: string): Uint8Array | undefined {
    return this.#reader.getBytes(key)
  }

  /**
   * Copies what fits of the value's bytes, from `position` on.
   * @returns how many bytes; -1: absent
   * @throws ERR_CONFLICT it has not (any more) the version that is asked for; ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE; as get
   */
  readBytes(key: string, target: Uint8Array, options?: ReadBytesOptions): number {
    if (options !== undefined) checkOptions('options', options)
    return this.#reader.readBytes(key, target, options)
  }

  /** Whether there is a value. @throws as get */
  has(key: string): boolean {
    return this.#reader.has(key)
  }

  /** How many keys have a value, of those that this user may read. */
  get size(): number {
    return this.#reader.size
  }

  /** The keys that begin so, sorted. @throws as get */
  keys(prefix = ''): string[] {
    return this.#reader.keys(prefix)
  }

  /**
   * Keys and values, sorted by key. Each is of its own moment: see snapshot. Of what a writer has called JSON and is none the bytes, here
   * and in snapshots and changes; get says ERR_BAD_PARCEL.
   * @throws as get
   */
  entries(prefix = ''): [string, Json][] {
    return this.#reader.entries(prefix) as [string, Json][]
  }

  /** As entries(). */
  [Symbol.iterator](): Iterator<[string, Json]> {
    return this.entries()[Symbol.iterator]()
  }

  /** The value with its version, type and length, all of one moment: for compare-and-set. @throws as get */
  getEntry<T = Json>(key: string): StoreSnapshotEntry<T> {
    return this.#reader.getEntry(key) as StoreSnapshotEntry<T>
  }

  /** A handle of one key, which need not exist: cheaper than get for what is read again and again. @throws ERR_INVALID_ARG_VALUE no key; ERR_CLOSED */
  entry<T = Json>(key: string): StoreEntry<T> {
    this.#checkOpen()
    return new StoreEntry<T>(this.#reader.stored(key))
  }

  /** Values of one moment; absent keys are left out. @throws ERR_UNSUPPORTED_OPERATION keys of several areas; as get */
  snapshot(keys: readonly string[] | { prefix: string }): ReadonlyMap<string, Json | Uint8Array> {
    return this.#reader.snapshot(keys)
  }

  /** For who lost: what the key has here; nothing, if that cannot be read. */
  #presentOf(key: string): { value: unknown; version: bigint } {
    try {
      return this.#reader.getEntry(key, this.#reader.getTolerantly)
    } catch {
      return { value: undefined, version: -1n }
    }
  }

  /**
   * Has the owner put a value, of any size. Resolved: every reader's next get has it. Bytes of more than 64,000 must stay as they are until
   * then: they are sent in parts.
   * @returns its version
   * @throws ERR_INVALID_ARG_VALUE the key, or what JSON has no text for; ERR_CONFLICT; ERR_SECURITY; ERR_LIMIT; ERR_DEAD_OBJECT the owner
   *   died, and may have put it; ERR_TIMEOUT
   */
  set(key: string, value: Json | Uint8Array, options: SetOptions = NO_OPTIONS): Promise<bigint> {
    try {
      checkKey(key)
      checkWriteOptions(options)
      const encoded = encode(value)
      this.#checkOpen()
      return this.#calls.set(key, encoded, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Has the owner delete a key. @returns whether there was a value. @throws as set */
  async delete(key: string, options: Omit<SetOptions, 'ttlMs'> = NO_OPTIONS): Promise<boolean> {
    checkKey(key)
    checkWriteOptions(options)
    this.#checkOpen()
    return this.#calls.delete(key, options)
  }

  /**
   * Has the owner add to a number, in one transaction. An absent one counts as 0, and lives for `ttlMs` if that is given.
   * @returns the sum. @throws ERR_INVALID_ARG_VALUE the value is no number; ERR_OUT_OF_RANGE `by` is not finite; as set
   */
  async increment(key: string, by = 1, options: Omit<SetOptions, 'ifVersion'> = NO_OPTIONS): Promise<number> {
    checkKey(key)
    checkBy(by)
    checkOptions('options', options)
    const { ttlMs } = options
    if (ttlMs !== undefined) checkTtl(ttlMs)
    this.#checkOpen()
    return this.#calls.increment(key, by, options)
  }

  /**
   * Has the owner make up to 256 changes at once, or none. Of a key that is there twice the last one counts.
   * @returns the version of all of them; 0n: nothing was to be changed
   * @throws ERR_TRANSACTION_TOO_LARGE together above 1 MiB - 8 KiB; ERR_UNSUPPORTED_OPERATION keys of several areas; as set
   */
  async update(edits: Iterable<StoreEdit>, options: CallOptions = NO_OPTIONS): Promise<bigint> {
    checkOptions('options', options)
    const read = readEdits(edits, LIMITS)
    this.#checkOpen()
    return this.#calls.update(read, options)
  }

  /**
   * Of a copy of values elsewhere: which revision of theirs wrote the value that is here; asked of the owner.
   * @returns 0n: there is no value. @throws ERR_UNSUPPORTED_OPERATION it is no copy; ERR_DEAD_OBJECT; ERR_TIMEOUT
   */
  async revisionOf(key: string, options: CallOptions = NO_OPTIONS): Promise<bigint> {
    checkKey(key)
    checkOptions('options', options)
    this.#checkOpen()
    return this.#calls.origin(key, options)
  }

  /**
   * The changes of keys that begin so, from here on: each key as it is then, the last one never missed, over restarts of the owner
   * too. Ends quietly when `signal` fires, the loop is left, or the store is closed. Keeps the process alive.
   * @throws ERR_INVALID_ARG_VALUE no key begins so; by next(): ERR_LIMIT too many watchers
   */
  changes(prefix = '', options: ChangesOptions = NO_OPTIONS): AsyncGenerator<StoreChange, void, undefined> {
    checkString('prefix', prefix)
    checkOptions('options', options)
    checkSignal(options.signal)
    if (options.initial !== undefined) checkBoolean('initial', options.initial)
    if (!isPrefix(prefix)) throw new InvalidArgValueError(`prefix must be the beginning of a key, got ${show(prefix)}`)
    this.#checkOpen()
    return this.#attachment.changes(prefix, options)
  }

  /** Whether the values are what the owner has now. @throws ERR_CLOSED */
  get status(): StoreStatus {
    this.#checkOpen()
    return this.#attachment.status
  }

  /** Unmaps the areas and closes the channel; loops over `changes()` end. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#attachment.close()
    if (this.#ownsManager) this.#manager.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError('the store was closed')
  }
}

const NO_OPTIONS = Object.freeze({})
