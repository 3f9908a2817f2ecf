/**
 * Writes a store to disk after its changes. Changed keys are noted. Each transaction writes their current values, all
 * of one moment, so the disk always has a complete earlier state of the store, whenever the process or the machine
 * ends.
 */
import { type KeptStore, NotKeptError, type StoreKeeper } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import { causeOf, type Database } from './lmdb.ts'
import { encodeRecord } from './record.ts'
import type { StateFolder } from './state-folder.ts'

/** `always`: a change is answered when it is on disk. `behind`: at once, and it is on disk within a second. */
export type StateSync = 'always' | 'behind'

export interface StateKeeperOptions {
  readonly folder: StateFolder
  readonly store: string
  readonly sync: StateSync
  /** Whether the store began with the contents on disk. If not, everything is written again. */
  readonly hasBegunWithDisk: boolean
  /** Keys that are on disk and not in the store. */
  readonly left: readonly string[]
  readonly logger: Logger
}

/** Milliseconds from a change to its writing: changes of that while are one transaction. */
const BEHIND_MS = 200
/** After a failure. */
const RETRY_MS = 1000

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class StateKeeper implements StoreKeeper {
  readonly #options: StateKeeperOptions
  readonly #database: Database
  #store: KeptStore | null = null
  #dirty = new Set<string>()
  /** Keys that are on their way to the disk. */
  #written = new Set<string>()
  #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined
  #isWriting = false
  #hasFailed = false

  constructor(options: StateKeeperOptions) {
    this.#options = options
    this.#database = options.folder.database(options.store)
  }

  /** What the disk lacks, for people: how many keys; and whether it could not be written the last time. */
  get status(): { pending: number; failing: boolean } {
    return { pending: this.#dirty.size + this.#written.size, failing: this.#hasFailed }
  }

  begin(store: KeptStore): void {
    const { hasBegunWithDisk, left } = this.#options
    this.#store = store
    for (const key of left) this.#dirty.add(key)
    if (!hasBegunWithDisk) {
      for (const key of this.#database.getKeys({})) this.#dirty.add(key.toString())
      for (const key of store.keys) this.#dirty.add(key)
    }
    this.#schedule(0)
  }

  changed(keys: readonly string[]): void {
    for (const key of keys) this.#dirty.add(key)
    if (this.#timer === undefined && !this.#isWriting) this.#schedule(this.#options.sync === 'always' ? 0 : BEHIND_MS)
  }

  moved(): void {
    // The disk has keys, and no areas.
  }

  kept(): Promise<void> | null {
    if (this.#options.sync === 'behind') return null
    if (this.#dirty.size === 0 && this.#written.size === 0) return null
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  end(): void {
    clearTimeout(this.#timer)
    const { folder, logger, store } = this.#options
    for (const key of this.#written) this.#dirty.add(key)
    const keys = [...this.#dirty]
    try {
      folder.commitSync(() => this.#write(keys))
      this.#dirty.clear()
    } catch (error) {
      logger.error(
        { store, keys: keys.length, err: error },
        'the last changes could not be written to the state folder',
      )
    }
    for (const { resolve } of this.#waiting) resolve()
    this.#store = null
  }

  get #isDone(): boolean {
    return this.#dirty.size === 0 && this.#waiting.length === 0
  }

  #schedule(afterMs: number): void {
    // A turn later: what a batch of calls has changed is one transaction.
    this.#timer = setTimeout(() => void this.#flush(), afterMs)
  }

  async #flush(): Promise<void> {
    this.#timer = undefined
    if (this.#store === null || this.#isDone) return
    let waiting: Waiting[] = []
    this.#isWriting = true
    try {
      await this.#options.folder.commit(() => {
        // Not earlier: all that has changed by now belongs to the state that is written.
        waiting = this.#waiting
        this.#written = this.#dirty
        this.#waiting = []
        this.#dirty = new Set()
        this.#write(this.#written)
      })
      this.#succeeded()
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const key of this.#written) this.#dirty.add(key)
      const cause = await causeOf(error)
      this.#failed(cause)
      for (const { reject } of waiting) reject(notKept(cause))
    } finally {
      this.#written = new Set()
      this.#isWriting = false
    }
    if (this.#store === null || this.#isDone) return
    const pauseMs = this.#options.sync === 'always' ? 0 : BEHIND_MS
    this.#schedule(this.#hasFailed ? RETRY_MS : pauseMs)
  }

  /** In a transaction. */
  #write(keys: Iterable<string>): void {
    const store = this.#store
    if (store === null) return
    for (const key of keys) {
      const record = store.read(key)
      if (record === null) void this.#database.remove(Buffer.from(key))
      else void this.#database.put(Buffer.from(key), encodeRecord(record))
    }
    this.#options.folder.setVersions(this.#options.store, store.versions)
  }

  #succeeded(): void {
    const { logger, store } = this.#options
    if (this.#hasFailed) logger.info({ store }, 'the state folder can be written again')
    this.#hasFailed = false
  }

  /** A line for the first of several. */
  #failed(cause: Error): void {
    const { logger, store } = this.#options
    if (!this.#hasFailed) logger.error({ store, err: cause }, 'the state folder cannot be written; memsvc tries again')
    this.#hasFailed = true
  }
}

function notKept(cause: Error): NotKeptError {
  return new NotKeptError(`the change was made, but could not be written to disk yet: ${cause.message}`, { cause })
}
