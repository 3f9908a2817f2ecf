/**
 * The owner's half of a store: values of any size under many keys, which other processes read at memory speed. Publish its `binder`
 * by `ServiceManager.addService`; clients open it by `SharedStore.open`. The client's half is `shared-store.ts`.
 */
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import type { Binder } from '../binder/binder.ts'
import type { Activity } from '../util/activity.ts'
import { checkOptions } from '../util/check.ts'
import { ClosedError } from '../util/errors.ts'
import { wallClock } from '../util/timers.ts'
import { AreaRules } from './area-rules.ts'
import type { AreaSize } from './area-size.ts'
import { ChangeCallback } from './change-callback.ts'
import { checkBy, checkWriteOptions, readEdits, type StoreEdit, type WriteOptions } from './edits.ts'
import { type DeepReadonly, encode, type Json } from './json.ts'
import type { StoreBeginning, StoreKeeper } from './keeper.ts'
import { keptStore } from './kept-store.ts'
import type { StoreLimits } from './limits.ts'
import type { StoreOrigin } from './origin.ts'
import {
  checkedAreas,
  checkedLimits,
  checkedSize,
  checkedValueBytes,
  type OwnedAreaRule,
  type OwnedStoreOptions,
  readOptions,
} from './owned-store-options.ts'
import type { StoreChange } from './reading.ts'
import { copyOf } from './store-copy.ts'
import { StoreCore } from './store-core.ts'
import { checkKey } from './store-key.ts'
import { StoreService } from './store-service.ts'
import { StoreWatchers } from './store-watchers.ts'

/**
 * A store that this process owns: values under keys, in shared memory that other processes read with SharedStore. Until
 * `close()` it owns its areas: for each a descriptor, the only writable mapping, and a mapping for reading.
 */
export class OwnedStore {
  /** The service of this object: publish it with `ServiceManager.addService`. It belongs to this object. */
  readonly binder: Binder
  readonly #onChange = new ChangeCallback()
  /** Or later, by its areas. */
  #changedAt = wallClock()
  readonly #core: StoreCore
  readonly #service: StoreService
  readonly #watchers = new StoreWatchers()
  readonly #keeper: StoreKeeper | null
  readonly #origin: StoreOrigin | null
  readonly #rules: AreaRules
  #isClosed = false

  /**
   * Makes and seals the areas.
   * @param beginning for sibling packages: what it begins with, and who keeps it
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE an option;
   *   errors of memfd_create(2), fallocate(2), mmap(2)
   */
  constructor(options: OwnedStoreOptions = {}, beginning: StoreBeginning = {}) {
    const { areas, size, maxValueBytes, mayWrite, limits } = readOptions(options)
    keepFromCloning(this)
    this.#keeper = beginning.keeper ?? null
    this.#origin = beginning.origin ?? null
    this.#core = new StoreCore({
      areas: areas.map(({ keys }) => keys),
      ...{ size, maxValueBytes, limits, beginning },
      isHeard: () => this.#watchers.size > 0 || this.#keeper !== null || this.#onChange.isGiven,
      onCommit: (keys, version) => this.#tell(keys, version),
      onMoved: () => this.#moved(),
    })
    this.#rules = new AreaRules(this.#core, areas, () => this.#noteLastChange())
    this.#service = new StoreService({
      core: this.#core,
      watchers: this.#watchers,
      mayWrite,
      mayRead: (caller, area) => this.#rules.mayRead(caller, area),
      kept: () => this.#keeper?.kept() ?? null,
      origin: this.#origin,
    })
    this.binder = this.#service
    try {
      this.#keeper?.begin(keptStore(this.#core))
      this.#origin?.begin(copyOf(this.#core))
    } catch (error) {
      this.#core.close()
      throw error
    }
  }

  /**
   * Stores a value.
   * @returns its version
   * @throws ERR_INVALID_ARG_VALUE for a bad key, or a value that JSON cannot represent; ERR_CONFLICT; ERR_LIMIT;
   *   ERR_CLOSED
   */
  set(key: string, value: Json | Uint8Array, options: WriteOptions = NO_OPTIONS): bigint {
    checkKey(key)
    if (options === NO_OPTIONS) return this.#core.put(key, encode(value))
    checkWriteOptions(options)
    const { ifVersion, ttlMs } = options
    return this.#core.set({ key, value: encode(value), ifVersion }, { payer: null, ttlMs })
  }

  /** @returns whether there was a value. @throws as set */
  delete(key: string, options: Pick<WriteOptions, 'ifVersion'> = NO_OPTIONS): boolean {
    checkKey(key)
    checkWriteOptions(options)
    return this.#core.delete(key, options.ifVersion)
  }

  /**
   * Makes several changes in one transaction: all of them or none. If a key appears twice, its last change counts.
   * @returns the version of all changed keys; 0n if nothing had to be changed
   * @throws ERR_UNSUPPORTED_OPERATION for keys of several areas; otherwise as set
   */
  update(edits: Iterable<StoreEdit>): bigint {
    const read = readEdits(edits, this.#core.limits)
    this.#checkOpen()
    return this.#core.update(read, null)
  }

  /**
   * Adds to a number; a key without a value counts as 0.
   * @returns the sum
   * @throws ERR_INVALID_ARG_VALUE if the value is not a number; otherwise as set
   */
  increment(key: string, by = 1, options: Pick<WriteOptions, 'ttlMs'> = NO_OPTIONS): number {
    checkKey(key)
    checkBy(by)
    checkWriteOptions(options)
    return this.#core.increment(key, by, { payer: null, ttlMs: options.ttlMs })
  }

  /**
   * The value of a key: JSON is frozen, bytes are a copy; undefined if the key has no value.
   * @throws ERR_INVALID_ARG_VALUE for a bad key; ERR_CLOSED
   */
  get<T = Json>(key: string): DeepReadonly<T> | Uint8Array | undefined {
    const { reader } = this.#core
    const cached = reader.cached(key)
    return (cached === undefined ? reader.get(key) : cached.value) as DeepReadonly<T> | Uint8Array | undefined
  }

  /**
   * Called after each change, whoever made it, in the async context in which you set this. Changes that the callback
   * makes are told after those that came before them.
   */
  get onChange(): ((change: StoreChange) => void) | null {
    return this.#onChange.given
  }

  set onChange(callback: ((change: StoreChange) => void) | null) {
    this.#onChange.given = callback
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      ...(this.#isClosed ? {} : { keys: this.stats.keys, valueBytes: this.stats.valueBytes }),
      state: this.#isClosed ? 'closed' : 'open',
    })
  }

  /** The keys that begin with the prefix, sorted. */
  keys(prefix = ''): string[] {
    return this.#core.reader.keys(prefix)
  }

  /**
   * The values of several keys at one moment. Keys without a value are left out.
   * @throws ERR_UNSUPPORTED_OPERATION for keys of several areas
   */
  snapshot(keys: readonly string[] | { prefix: string }): ReadonlyMap<string, Json | Uint8Array> {
    return this.#core.reader.snapshot(keys)
  }

  /**
   * Moves the values to areas of another size; readers follow.
   * @throws ERR_LIMIT if they do not fit; ERR_OUT_OF_RANGE; ENOMEM. Areas that were already moved stay moved
   */
  resize(size: { capacity?: number; maxKeys?: number }): void {
    checkOptions('size', size)
    this.#checkOpen()
    for (const area of this.#core.areas) area.move(checkedSize({ ...area.size, ...size }))
  }

  /**
   * Changes which callers may read which keys. The keys move to new areas, so a caller that has lost the right to read
   * them sees nothing new from this moment on. An area is kept if the keys of all areas stay the same and its `mayRead`
   * is the same function.
   * @throws ERR_LIMIT if the values do not fit; ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE, also if no area has a
   *   pattern for a key. Then nothing has changed
   */
  setAreas(areas: OwnedAreaRule[]): void {
    const rules = checkedAreas(areas)
    this.#checkOpen()
    this.#rules.set(rules)
  }

  /**
   * Like setAreas, but does not block the process: it copies a part of the keys in each turn of the event loop. Until
   * the promise resolves the old rules apply.
   * @throws as setAreas; ERR_CLOSED; ERR_ILLEGAL_STATE if the areas were set again meanwhile
   */
  async setAreasInTurns(areas: OwnedAreaRule[]): Promise<void> {
    const rules = checkedAreas(areas)
    this.#checkOpen()
    await this.#rules.setInTurns(rules)
  }

  /**
   * Changes how much users may store from now on, and the longest value. Values that are there already stay.
   * @throws ERR_OUT_OF_RANGE
   */
  setLimits(wanted: Partial<StoreLimits> & { maxValueBytes?: number }): void {
    checkOptions('limits', wanted)
    const { maxValueBytes, ...limits } = wanted
    this.#core.limits = checkedLimits(limits)
    this.#core.maxValueBytes = checkedValueBytes(maxValueBytes)
  }

  /** How many areas there are. */
  get areas(): number {
    return this.#core.areas.length
  }

  /** The size of each area: bytes and keys. */
  get areaSize(): AreaSize {
    return this.#core.areas[0]?.size as AreaSize
  }

  /**
   * What users other than this process's own and root use, by the names of the limits; for `uploads` and watchers, of
   * all users.
   */
  get used(): Record<string, number> {
    return this.#service.used
  }

  /**
   * Numbers about the store: its keys, bytes and watchers.
   * @throws ERR_CLOSED
   */
  get stats(): { keys: number; usedBytes: number; valueBytes: number; allocatedBytes: number; watchers: number } {
    this.#checkOpen()
    return { ...this.#core.stats, watchers: this.#watchers.size }
  }

  /**
   * Unmaps the areas. Readers keep the last values, as if this process had died, and wait for the next store of that
   * name. The binder stays published until you publish another one, and refuses all calls. Idempotent.
   */
  close(): void {
    if (this.#isClosed) return
    this.#noteLastChange()
    this.#isClosed = true
    this.#onChange.clear()
    this.#service.close()
    this.#watchers.close()
    this.#keeper?.end()
    this.#origin?.end()
    this.#core.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /** How many keys were written, and the time of the last write: milliseconds since 1970, up to 10 too late. */
  get activity(): Activity {
    return { writes: this.#core.writes, changedAt: Math.min(this.#lastChange(), wallClock()) }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError('the store was closed')
  }

  /** The areas are about to go, and with them what they say of it. */
  #noteLastChange(): void {
    this.#changedAt = this.#lastChange()
  }

  #lastChange(): number {
    const areas = this.#isClosed ? [] : this.#core.areas
    return Math.max(this.#changedAt, ...areas.map(({ stats }) => stats.changedAt))
  }

  #moved(): void {
    this.#service.moved()
    this.#watchers.seeAnew()
    this.#keeper?.moved()
  }

  #tell(keys: readonly string[], version: bigint): void {
    this.#watchers.changed(keys, this.#core.reader.numberOf(keys[0] as string))
    this.#keeper?.changed(keys)
    if (this.#onChange.isGiven) this.#onChange.tell(keys, version, (key) => this.#core.reader.getTolerantly(key))
  }
}

const NO_OPTIONS: WriteOptions = Object.freeze({})
