/**
 * The changes that a watcher has not got yet, from the logs of its areas. Each key has its current value when it is
 * taken. The last change of each key is never missed, and no change is reported twice.
 */

import { type AreaChange, type AreaFeed, areaCodes } from 'memfd-native'
import { BadParcelError } from '../util/errors.ts'
import { setImmediate } from '../util/timers.ts'
import { type StoreChange, typeName } from './reading.ts'
import type { StoreArea, StoreReader } from './store-reader.ts'

export interface PendingOptions {
  readonly reader: StoreReader
  readonly prefix: string
  /** The logs are about to be read. */
  readonly onPoll: () => void
  /** The owner was faster than the last read: there is more, in a later turn. */
  readonly onMissing: () => void
}

/**
 * How often the owner may change the area during the first pass. After that, keys that could not be read are reported
 * as changes.
 */
const FIRST_TRIES = 8

/**
 * How many keys are remembered whose value was told ahead of the log. An honest owner's log tells of each soon. Beyond this number all are
 * forgotten, and may be told once more.
 */
const MOST_AHEAD = 2 ** 18

export class PendingChanges {
  readonly #reader: StoreReader
  readonly #prefix: string
  readonly #onPoll: () => void
  readonly #onMissing: () => void
  #feeds: AreaFeed[]
  /** Which keys are in which area. */
  #division: string
  #queue: AreaChange[] = []
  /** Of the queue. */
  #next = 0
  /** Versions that were told before a feed has reported them, as it will. */
  readonly #ahead = new Map<string, bigint>()
  /** There may be something in the logs. */
  #isDirty = false
  #isClosed = false

  constructor({ reader, prefix, onPoll, onMissing }: PendingOptions) {
    this.#reader = reader
    this.#prefix = prefix
    this.#onPoll = onPoll
    this.#onMissing = onMissing
    this.#feeds = reader.areas.map((area) => area.reader.feed(prefix))
    this.#division = divisionOf(reader.areas)
  }

  /** The logs are read when the next change is taken. */
  mayHaveMore(): void {
    this.#isDirty = true
  }

  /**
   * Values that exist already are not changes.
   * @throws ERR_BAD_PARCEL if an area is damaged
   */
  skipPresent(): void {
    for (const feed of this.#feeds) {
      let code = feed.skipPresent()
      for (let tries = 1; code === areaCodes.BUSY && tries < FIRST_TRIES; tries++) code = feed.skipPresent()
      if (code === areaCodes.BUSY) this.#isDirty = true
      else if (code !== 0) throw new BadParcelError('the area of the store is damaged')
    }
  }

  /** The next one; null: nothing now. @throws ERR_BAD_PARCEL an area is damaged */
  take(): StoreChange | null {
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

  /** The values are in these areas now, which the reader knows. Values that are the same there are not reported. */
  moveTo(areas: readonly StoreArea[]): void {
    const division = divisionOf(areas)
    const isSame = division === this.#division
    this.#division = division
    if (isSame) for (const [number, { reader }] of areas.entries()) reader.takeFeed(this.#feeds[number] as AreaFeed)
    else this.#divideAnew(areas)
  }

  /** A key may be in another area than before. */
  #divideAnew(areas: readonly StoreArea[]): void {
    const before = this.#feeds
    this.#feeds = areas.map(({ reader }) => reader.feed(this.#prefix))
    for (const feed of this.#feeds) for (const each of before) feed.takeKnown(each)
    for (const feed of before) feed.close()
  }

  close(): void {
    this.#isClosed = true
    for (const feed of this.#feeds) feed.close()
    this.#queue = []
  }

  #poll(): void {
    this.#isDirty = false
    this.#onPoll()
    const { length } = this.#feeds
    this.#next = 0
    this.#queue =
      length === 1
        ? this.#pollFeed(this.#feeds[0] as AreaFeed)
        : this.#feeds.flatMap((feed, number) => this.#pollFeed(feed).filter(({ key }) => this.#isOf(number, key)))
    if (this.#queue.length > 1) this.#queue.sort((a, b) => (a.version < b.version ? -1 : Number(a.version > b.version)))
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

  /** Of a key that has left an area the feed of the area where it is now tells; of one that is in none, the first feed. */
  #isOf(number: number, key: string): boolean {
    return Math.max(0, this.#reader.numberOf(key)) === number
  }

  /** The owner was faster: the rest follows next time. */
  #lookSoon(): void {
    setImmediate(() => {
      if (!this.#isClosed) this.#onMissing()
    })
  }

  /**
   * The change, with the value that the key has now; null if it was told already, or if the key has no value any more,
   * of which the feed will tell. A deletion is told in any case, also of a key that has a value again: the feed believes that it
   * is known, and tells of no second one whose version is not known.
   */
  #told({ key, version, hasValue }: AreaChange): StoreChange | null {
    const ahead = this.#ahead.get(key)
    if (ahead !== undefined) this.#ahead.delete(key)
    if (ahead === version) return null
    if (!hasValue) return { key, value: undefined, version }
    const reader = this.#reader
    const now = reader.stored(key)
    const value = reader.getTolerantly(key) as StoreChange['value']
    if (typeName(now.type) === null) return null
    if (now.version !== version) {
      if (this.#ahead.size >= MOST_AHEAD) this.#ahead.clear()
      this.#ahead.set(key, now.version)
    }
    return { key, value, version: now.version }
  }
}

function divisionOf(areas: readonly StoreArea[]): string {
  return JSON.stringify(areas.map(({ patterns }) => patterns))
}
