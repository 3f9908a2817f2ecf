/**
 * The changes of a store, one after the other: what a loop over `changes()` runs over. What has changed is read from the logs of the
 * areas, when somebody waits for it and the owner has said that there is something; so who is slow to take them costs nothing, and the
 * last change of each key is never missed, over restarts of the owner too.
 */
import { type AreaChange, type AreaFeed, areaCodes } from 'memfd-native'
import { readsCallerSynchronously } from '../binder/calling-identity.ts'
import type { ImplementationOf } from '../binder/interface.ts'
import { IWatcher } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { BadParcelError, errorCode } from '../util/errors.ts'
import type { StoreChange } from './owned-store.ts'
import { IStore } from './store-interface.ts'
import type { StoreLink } from './store-link.ts'
import type { StoreArea, StoreReader } from './store-reader.ts'

/** What a loop needs of its store. */
export interface ChangesSource {
  readonly reader: StoreReader
  readonly link: StoreLink
  /** The loop is over. */
  onEnd(changes: StoreChanges): void
}

/** Which changes. */
export interface ChangesOptions {
  /** Ends the loop quietly. */
  signal?: AbortSignal | undefined
  /** Begin with the values that are there. */
  initial?: boolean | undefined
}

interface Waiter {
  resolve(result: IteratorResult<StoreChange, void>): void
  reject(error: unknown): void
}

/** More polls than that are not made at the beginning: what is missing then is told as a change. */
const FIRST_POLLS = 8

export class StoreChanges implements AsyncGenerator<StoreChange, void, undefined> {
  readonly #source: ChangesSource
  readonly #prefix: string
  readonly #signal: AbortSignal | undefined
  readonly #callback = new Watcher(() => this.#onNotice())
  #feeds: AreaFeed[] = []
  #queue: AreaChange[] = []
  /** Of the queue. */
  #next = 0
  readonly #waiters: Waiter[] = []
  /** Versions that were told already although the log has yet to say so: of this queue, and of the one before. */
  #ahead = new Map<string, bigint>()
  #aheadBefore = new Map<string, bigint>()
  /** There may be something in the logs. */
  #isDirty = false
  /** A notice came that was not acknowledged. */
  #isTold = false
  #isWatching = false
  #isServing = false
  #isDone = false
  #stopLooking: () => void = () => undefined

  /** What changes from here on. @throws ERR_BAD_PARCEL an area is damaged */
  constructor(source: ChangesSource, prefix: string, { signal, initial = false }: ChangesOptions) {
    this.#source = source
    this.#prefix = prefix
    this.#signal = signal
    this.#feeds = source.reader.areas.map(({ reader }) => reader.feed(prefix))
    if (initial) this.#isDirty = true
    else this.#skipPresent()
    if (signal?.aborted) this.#finish()
    else signal?.addEventListener('abort', this.#onAbort)
  }

  next(): Promise<IteratorResult<StoreChange, void>> {
    if (this.#isDone) return Promise.resolve({ value: undefined, done: true })
    const result = new Promise<IteratorResult<StoreChange, void>>((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
    })
    this.#startWatching()
    this.#serve()
    return result
  }

  /** Ends the loop; a pending next() too, quietly. */
  return(): Promise<IteratorResult<StoreChange, void>> {
    this.#finish()
    return Promise.resolve({ value: undefined, done: true })
  }

  throw(error: unknown): Promise<IteratorResult<StoreChange, void>> {
    this.#finish()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish()
  }

  /** The values are in these areas now. What is the same there is no change. Then comes `look()`. */
  moveTo(areas: readonly StoreArea[]): void {
    const before = this.#feeds
    this.#feeds = areas.map(({ reader }, number) => {
      const feed = before[number]
      if (feed === undefined) return reader.feed(this.#prefix)
      reader.takeFeed(feed)
      return feed
    })
    for (const feed of before.slice(areas.length)) feed.close()
  }

  /** There may be changes: the areas before are closed, say. */
  look(): void {
    this.#look()
  }

  /** The owner is there again. */
  onUp(binder: IBinder): void {
    if (this.#isWatching) void this.#watch(binder)
  }

  /** The owner is gone: its log may hold what it could not tell any more. */
  onDown(): void {
    this.#isTold = false
    this.#look()
  }

  /** The store is closed. */
  end(): void {
    this.#finish()
  }

  #onNotice(): void {
    this.#isTold = true
    this.#look()
  }

  #look(): void {
    this.#isDirty = true
    this.#serve()
  }

  #startWatching(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#stopLooking = this.#source.link.keepLooking()
    const { binder } = this.#source.link
    if (binder !== null) void this.#watch(binder)
  }

  async #watch(binder: IBinder): Promise<void> {
    try {
      await IStore.asInterface(binder).watch(this.#callback, this.#prefix)
      if (this.#isDone) await this.#unwatch(binder)
      else this.#look()
    } catch (error) {
      if (errorCode(error) !== 'ERR_DEAD_OBJECT' && errorCode(error) !== 'ERR_CLOSED') this.#fail(error)
    }
  }

  /** Gives those who wait what there is. To read may find that the values have moved, and come here again: the outer call goes on. */
  #serve(): void {
    if (this.#isServing) return
    this.#isServing = true
    try {
      for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
        const change = this.#take()
        if (change === null) return
        this.#waiters.shift()
        waiter.resolve({ value: change, done: false })
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isServing = false
    }
  }

  /** Null: nothing now. */
  #take(): StoreChange | null {
    for (;;) {
      const change = this.#queue[this.#next]
      if (change === undefined) {
        if (!this.#isDirty) return null
        this.#poll()
        continue
      }
      this.#next += 1
      const told = this.#told(change)
      if (told !== null) return told
    }
  }

  #poll(): void {
    this.#isDirty = false
    if (this.#isTold) this.#acknowledge()
    this.#aheadBefore = this.#ahead
    this.#ahead = new Map()
    this.#next = 0
    this.#queue = this.#feeds.flatMap((feed) => this.#pollFeed(feed))
    this.#queue.sort((a, b) => (a.version < b.version ? -1 : Number(a.version > b.version)))
  }

  #pollFeed(feed: AreaFeed): AreaChange[] {
    const polled = feed.poll()
    if (typeof polled === 'number') {
      if (polled === areaCodes.BUSY) this.#lookSoon()
      else throw new BadParcelError('the area of the store is damaged')
      return []
    }
    if (!polled.isComplete) this.#lookSoon()
    return polled.changes
  }

  /** The owner was faster: what is missing comes next time. */
  #lookSoon(): void {
    setImmediate(() => {
      if (!this.#isDone) this.#look()
    })
  }

  /** The change as it is now; null: it is none any more, or was told already. What became of it is told next. */
  #told({ key, version, hasValue }: AreaChange): StoreChange | null {
    if (this.#aheadBefore.get(key) === version) return null
    const { reader } = this.#source
    const now = reader.getEntry(key, reader.getTolerantly)
    if ((now.type !== null) !== hasValue) return null
    if (!hasValue) return { key, value: undefined, version }
    if (now.version !== version) this.#ahead.set(key, now.version)
    return { key, value: now.value as StoreChange['value'], version: now.version }
  }

  /** What is there already is no change. */
  #skipPresent(): void {
    for (const feed of this.#feeds) {
      for (let polls = 0; polls < FIRST_POLLS; polls++) {
        const polled = feed.poll()
        if (typeof polled !== 'number' && polled.isComplete) break
        if (typeof polled === 'number' && polled !== areaCodes.BUSY)
          throw new BadParcelError('the area of the store is damaged')
        this.#isDirty = true
      }
    }
  }

  #acknowledge(): void {
    this.#isTold = false
    const { binder } = this.#source.link
    if (binder === null) return
    void Promise.resolve(IStore.asInterface(binder).acknowledge(this.#callback)).catch(() => undefined)
  }

  async #unwatch(binder: IBinder): Promise<void> {
    try {
      await IStore.asInterface(binder).unwatch(this.#callback)
    } catch {
      // it never watched, or is gone
    }
  }

  #fail(error: unknown): void {
    const waiter = this.#waiters.shift()
    waiter?.reject(error)
    this.#finish()
  }

  #finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    for (const feed of this.#feeds) feed.close()
    this.#queue = []
    const { binder } = this.#source.link
    if (this.#isWatching && binder !== null) void this.#unwatch(binder)
    this.#stopLooking()
    for (const { resolve } of this.#waiters.splice(0)) resolve({ value: undefined, done: true })
    this.#source.onEnd(this)
  }

  readonly #onAbort = (): void => this.#finish()
}

class Watcher extends IWatcher.Stub implements ImplementationOf<typeof IWatcher> {
  readonly #onNotice: () => void

  constructor(onNotice: () => void) {
    super()
    this.#onNotice = onNotice
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  onChange(): void {
    this.#onNotice()
  }
}
