/**
 * The changes of a store, one after the other: what a loop over `changes()` runs over. They are read (`pending-changes.ts`) when somebody
 * waits for one and the owner has said that there is something; so who is slow to take them costs nothing, over restarts of the owner too.
 */
import { inspected, introduce, keepFromCloning } from 'memfd-native'
import type { IBinder } from '../parcel/ibinder.ts'
import { errorCode } from '../util/errors.ts'
import { Watcher } from '../watching/watcher.ts'
import { PendingChanges } from './pending-changes.ts'
import type { StoreChange } from './reading.ts'
import { IStore } from './store-interface.ts'
import type { StoreLink } from './store-link.ts'
import type { StoreArea, StoreReader } from './store-reader.ts'
import { TurnPortion } from './turn-portion.ts'

/** What a loop needs of its store. */
export interface ChangesSource {
  readonly reader: StoreReader
  readonly link: StoreLink
  /** The loop is over. */
  onEnd(changes: StoreChanges): void
}

/** Options of a loop over changes. */
export interface ChangesOptions {
  /** Ends the loop without an error. */
  signal?: AbortSignal | undefined
  /** Begin with all current values. */
  initial?: boolean | undefined
}

interface Waiter {
  resolve(result: IteratorResult<StoreChange, void>): void
  reject(error: unknown): void
}

export class StoreChanges implements AsyncGenerator<StoreChange, void, undefined> {
  readonly #source: ChangesSource
  readonly #prefix: string
  readonly #signal: AbortSignal | undefined
  readonly #callback = new Watcher(() => this.#onNotice())
  readonly #pending: PendingChanges
  readonly #portion = new TurnPortion(() => this.#serve())
  readonly #waiters: Waiter[] = []
  /** A notice has arrived, and its changes have been read since. */
  #isTold = false
  #isRead = false
  #isWatching = false
  #isServing = false
  #isDone = false
  #stopLooking: () => void = () => undefined

  /** What changes from here on. @throws ERR_BAD_PARCEL an area is damaged */
  constructor(source: ChangesSource, prefix: string, { signal, initial = false }: ChangesOptions) {
    this.#source = source
    this.#prefix = prefix
    this.#signal = signal
    keepFromCloning(this)
    this.#pending = new PendingChanges({
      reader: source.reader,
      prefix,
      onPoll: () => {
        this.#isRead = this.#isTold
      },
      onMissing: () => this.#look(),
    })
    try {
      if (initial) this.#pending.mayHaveMore()
      else this.#pending.skipPresent()
    } catch (error) {
      this.#pending.close()
      throw error
    }
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

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { prefix: this.#prefix, state: this.#isDone ? 'ended' : 'open' })
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

  /** The values are in these areas now. Values that are the same there are not reported. Then comes `look()`. */
  moveTo(areas: readonly StoreArea[]): void {
    this.#pending.moveTo(areas)
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
    this.#isTold = this.#isRead = false
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
    this.#pending.mayHaveMore()
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

  /**
   * Gives the waiting loops their changes. A read may find that the values have moved and call this again; the outer
   * call continues.
   */
  #serve(): void {
    if (this.#isServing) return
    this.#isServing = true
    try {
      for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
        if (!this.#portion.take()) break
        const change = this.#pending.take()
        if (change === null) break
        this.#waiters.shift()
        waiter.resolve({ value: change, done: false })
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isServing = false
    }
    // After the loops that continue with these changes, because waking the owner takes longer than all of this.
    if (this.#isRead) void Promise.resolve().then(() => this.#acknowledge())
  }

  /**
   * The owner may send the next notice. It may believe that changes since the last read were reported, so the log is
   * read once more.
   */
  #acknowledge(): void {
    const { binder } = this.#source.link
    if (!this.#isRead || binder === null || this.#isDone) return
    this.#isTold = this.#isRead = false
    void Promise.resolve(IStore.asInterface(binder).acknowledge(this.#callback)).catch(() => undefined)
    this.#look()
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
    this.#pending.close()
    const { binder } = this.#source.link
    if (this.#isWatching && binder !== null) void this.#unwatch(binder)
    this.#stopLooking()
    for (const { resolve } of this.#waiters.splice(0)) resolve({ value: undefined, done: true })
    this.#source.onEnd(this)
  }

  readonly #onAbort = (): void => this.#finish()
}
