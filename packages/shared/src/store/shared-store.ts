/**
 * A store as its readers see it: found by the registry, its areas mapped read-only, read at memory speed, and followed over deaths and
 * restarts of its owner. Reads are synchronous and never torn, and while the owner lives never stale: the next get after a set has
 * resolved anywhere sees it. The owner's half is `owned-store.ts`.
 */
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { type ConnectOptions, ServiceManager } from '../service-manager/service-manager.ts'
import { noService } from '../service-manager/service-name-errors.ts'
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

/** Which registry to use, or a ServiceManager. */
export interface OpenOptions extends Pick<ConnectOptions, 'path' | 'scope' | 'signal'> {
  /**
   * Finds the store. It is not closed with the store. By default the store makes one of its own, with `path` or
   * `scope`.
   */
  manager?: ServiceManager | undefined
}

/** The owner has its own; these are only to refuse early what no owner takes. */
const LIMITS = storeLimits()

/**
 * The values of a store, which another process owns: you read them from shared memory, and change them by calls to the
 * owner. Until `close()` it owns the mappings of the areas, its channel, and its connection to the registry if it has
 * made one. It does not keep the process alive.
 */
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
   * Finds a store, and maps the areas that this user may read.
   * @throws ERR_SERVICE_NOT_FOUND; AbortError; ERR_NOT_A_REGION or ERR_UNSAFE_REGION if the service sends something
   *   else; otherwise as ServiceManager.connect and getService
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
   * The current value. JSON is frozen, and the same object as before if the value is unchanged and cached. Bytes are a
   * new copy each time. undefined if the key has no value.
   * @throws ERR_INVALID_ARG_VALUE for a bad key; ERR_CLOSED; ERR_BAD_PARCEL if the owner has damaged the area;
   *   ERR_LIMIT above 512 MiB, or if the owner changed the value during every attempt to read it
   */
  get<T = Json>(key: string): DeepReadonly<T> | Uint8Array | undefined {
    const cached = this.#reader.cached(key)
    return (cached === undefined ? this.#reader.get(key) : cached.value) as DeepReadonly<T> | Uint8Array | undefined
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      name: this.#name,
      keys: this.#isClosed ? undefined : this.size,
      state: this.#isClosed ? 'closed' : this.status.state,
    })
  }

  /**
   * A copy of the bytes of the value; for JSON, of its text in UTF-8.
   * @throws as get
   */
  getBytes(key: string): Uint8Array | undefined {
    return this.#reader.getBytes(key)
  }

  /**
   * Copies the bytes of the value, from `position` on, as many as fit in the target.
   * @returns the number of bytes; -1 if the key has no value
   * @throws ERR_CONFLICT if the value does not, or no longer, have the version in `options`; ERR_OUT_OF_RANGE,
   *   ERR_INVALID_ARG_TYPE; otherwise as get
   */
  readBytes(key: string, target: Uint8Array, options?: ReadBytesOptions): number {
    if (options !== undefined) checkOptions('options', options)
    return this.#reader.readBytes(key, target, options)
  }

  /**
   * Whether the key has a value.
   * @throws as get
   */
  has(key: string): boolean {
    return this.#reader.has(key)
  }

  /** The number of keys with a value that this user may read. */
  get size(): number {
    return this.#reader.size
  }

  /**
   * The keys that begin with the prefix, sorted.
   * @throws as get
   */
  keys(prefix = ''): string[] {
    return this.#reader.keys(prefix)
  }

  /**
   * Keys and values, sorted by key. Each value is read separately; for values of one moment see snapshot. If a value is
   * marked as JSON but is not JSON, you get its bytes, here and in snapshots and changes, while get throws
   * ERR_BAD_PARCEL.
   * @throws as get
   */
  entries(prefix = ''): [string, Json][] {
    return this.#reader.entries(prefix) as [string, Json][]
  }

  /** As entries(). */
  [Symbol.iterator](): Iterator<[string, Json]> {
    return this.entries()[Symbol.iterator]()
  }

  /**
   * The value with its version, type and length, all of one moment. Use it for compare-and-set.
   * @throws as get
   */
  getEntry<T = Json>(key: string): StoreSnapshotEntry<T> {
    return this.#reader.getEntry(key) as StoreSnapshotEntry<T>
  }

  /**
   * A handle of one key, which may have no value yet. It is faster than get if you read a key again and again.
   * @throws ERR_INVALID_ARG_VALUE for a bad key; ERR_CLOSED
   */
  entry<T = Json>(key: string): StoreEntry<T> {
    this.#checkOpen()
    return new StoreEntry<T>(this.#reader.stored(key))
  }

  /**
   * The values of several keys at one moment. Keys without a value are left out.
   * @throws ERR_UNSUPPORTED_OPERATION for keys of several areas; as get
   */
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
   * Asks the owner to store a value. When the promise resolves, the next get in every process returns it. A value of
   * more than 64,000 bytes is sent in parts: do not change its Uint8Array before that, and do not count on it being
   * stored before what you ask for meanwhile.
   * @returns its version
   * @throws ERR_INVALID_ARG_VALUE for a bad key, or a value that JSON cannot represent; ERR_CONFLICT; ERR_SECURITY;
   *   ERR_LIMIT; ERR_DEAD_OBJECT if the owner died, and may have stored it; ERR_TIMEOUT; ERR_ILLEGAL_STATE if it was
   *   stored, but the owner could not write it to its disk
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

  /**
   * Asks the owner to delete a key.
   * @returns whether it had a value
   * @throws as set
   */
  async delete(key: string, options: Omit<SetOptions, 'ttlMs'> = NO_OPTIONS): Promise<boolean> {
    checkKey(key)
    checkWriteOptions(options)
    this.#checkOpen()
    return this.#calls.delete(key, options)
  }

  /**
   * Asks the owner to add to a number, in one transaction. A key without a value counts as 0; it gets `ttlMs` if you
   * give that.
   * @returns the sum
   * @throws ERR_INVALID_ARG_VALUE if the value is not a number; ERR_OUT_OF_RANGE if `by` is not finite; otherwise as
   *   set
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
   * Asks the owner to make up to 256 changes in one transaction: all of them or none. If a key appears twice, its last
   * change counts.
   * @returns the version of all changed keys; 0n if nothing had to be changed
   * @throws ERR_TRANSACTION_TOO_LARGE for more than 1 MiB - 8 KiB in total; ERR_UNSUPPORTED_OPERATION for keys of
   *   several areas; otherwise as set
   */
  async update(edits: Iterable<StoreEdit>, options: CallOptions = NO_OPTIONS): Promise<bigint> {
    checkOptions('options', options)
    const read = readEdits(edits, LIMITS)
    this.#checkOpen()
    return this.#calls.update(read, options)
  }

  /**
   * If the store is a copy of a cluster's values: asks the owner for the revision of the cluster that wrote the value.
   * @returns the revision; 0n if the key has no value
   * @throws ERR_UNSUPPORTED_OPERATION if the store is not a copy; ERR_DEAD_OBJECT; ERR_TIMEOUT
   */
  async revisionOf(key: string, options: CallOptions = NO_OPTIONS): Promise<bigint> {
    checkKey(key)
    checkOptions('options', options)
    this.#checkOpen()
    return this.#calls.origin(key, options)
  }

  /**
   * The changes of all keys that begin with the prefix, from now on, also across restarts of the owner. If a key
   * changes several times, you may get only its last value, but you always get that. The loop ends without an error if
   * `signal` fires, if you leave it, or if the store is closed. It keeps the process alive.
   * @throws ERR_INVALID_ARG_VALUE if no key can begin with the prefix; by next(): ERR_LIMIT for too many watchers
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

  /**
   * Whether the values are the owner's current ones.
   * @throws ERR_CLOSED
   */
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
