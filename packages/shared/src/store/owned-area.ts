/**
 * The owner's half of one area of a store. It makes room for its transactions: it retires deleted keys when their
 * places are needed, and moves all values to a new area when the free places of the old one have the wrong sizes, or
 * when the area gets another size.
 */
import { AreaReader, type AreaWriter, areaWriteCodes, type OwnedFd } from 'memfd-native'
import { MoveReasons } from './area-move.ts'
import { type AreaSize, isNoRoom, misfitError } from './area-size.ts'
import { commitPuts, type Put } from './area-transaction.ts'
import { AreaVersions } from './area-versions.ts'
import type { Encoded } from './json.ts'
import { createArea, NextArea } from './next-area.ts'
import type { ReplicaWords } from './replica-words.ts'
import type { StoreArea } from './store-reader.ts'
import type { Versions } from './versions.ts'

/** What an area of a store is made of. */
export interface OwnedAreaOptions {
  readonly patterns: readonly string[]
  readonly capacity: number
  readonly maxKeys: number
  readonly versions: Versions
}

/** Deleted keys whose places are taken back at once. */
const RETIRED_AT_ONCE = 256
/** Guess, never tuned. */
const KEPT_DELETED = 1024
/** It is worth moving when so much of the places is free. */
const FREE_PART = 4
/** The cost of a put besides its bytes, to decide about moves. */
const PUT_BYTES = 256
/** In a millisecond. */
const NANOSECONDS = 1e6

/** Owns the writer of an area, and a mapping for reading it. */
export class OwnedArea implements StoreArea {
  readonly patterns: readonly string[]
  #writer: AreaWriter
  #reader: AreaReader
  #size: AreaSize
  #moves = 0
  readonly #versions: AreaVersions
  /** Since it was looked whether too many places are kept for deleted keys. */
  #deletes = 0
  #replica: ReplicaWords | null = null
  /** Whether, and when, it is worth moving. */
  readonly #reasons = new MoveReasons()
  readonly #next = new NextArea(() => this.#tryMove())
  readonly #onMoved: () => void

  /**
   * @param onMoved told when the values are in another area, before anything is written to that one; blocks of before are gone
   * @throws errors of memfd_create(2), fallocate(2), mmap(2); EINVAL no room for so many keys
   */
  constructor(options: OwnedAreaOptions, onMoved: () => void) {
    this.patterns = options.patterns
    this.#size = { capacity: options.capacity, maxKeys: options.maxKeys }
    this.#onMoved = onMoved
    this.#versions = new AreaVersions(options.versions)
    this.#writer = createArea(this.#size, options.versions.after)
    try {
      this.#reader = readerOf(this.#writer)
    } catch (error) {
      this.#writer.close()
      throw error
    }
  }

  get reader(): AreaReader {
    return this.#reader
  }

  get size(): AreaSize {
    return this.#size
  }

  /** How often it has moved: blocks that were reserved before are gone. */
  get moves(): number {
    return this.#moves
  }

  /** The version that was given last. */
  get version(): bigint {
    return this.#writer.stats.committed
  }

  get stats(): AreaWriter['stats'] {
    return this.#writer.stats
  }

  /** The state of a copy for readers; it moves with the values. */
  setReplica(words: ReplicaWords): void {
    this.#replica = words
    tellReplica(this.#writer, words)
  }

  /** A read-only descriptor, the caller's. @throws EMFILE */
  share(): OwnedFd {
    const fd = this.#writer.share()
    this.#reasons.handedOut()
    return fd
  }

  /** One value. @returns its version. @throws ERR_LIMIT */
  put(key: string, type: number, bytes: Uint8Array): bigint {
    if (!this.#versions.spend(1)) this.#versions.renew(this.#writer)
    const result = this.#writer.put(key, type, bytes)
    const version = typeof result === 'bigint' ? result : this.#putRoomily(key, { type, bytes }, result)
    if (this.#reasons.isTimeToLook(bytes.length + PUT_BYTES)) this.#look()
    return version
  }

  /** Apart from the hot path: what a closure uses of a function costs each call of it. */
  #putRoomily(key: string, { type, bytes }: Encoded, code: number): bigint {
    return this.#roomy(bytes.length, code, () => this.#writer.put(key, type, bytes))
  }

  /** All, or none. @returns the version, 0n: nothing has changed. @throws ERR_LIMIT */
  commit(puts: readonly Put[]): bigint {
    const bytes = puts.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)
    this.#useVersions(puts.length)
    const version = commitPuts(this.#writer, puts)
    const hasBlocks = puts.some(({ block }) => block > 0)
    if (typeof version !== 'bigint')
      return this.#roomy(bytes, version, () => commitPuts(this.#writer, puts), !hasBlocks)
    this.#deletes += puts.reduce((sum, { bytes, block }) => sum + Number(bytes === null && block === 0), 0)
    if (this.#deletes >= RETIRED_AT_ONCE) this.#retireOld()
    // The caller may still need the block that it has just written, so this is checked when the next one is reserved.
    if (this.#reasons.isTimeToLook(bytes + puts.length * PUT_BYTES) && !hasBlocks) this.#look()
    return version
  }

  /** A place for a value that comes in parts. @returns its block. @throws ERR_LIMIT */
  reserve(byteLength: number, type: number): number {
    if (this.#reasons.isTimeToLook(byteLength)) this.#look()
    const block = this.#writer.reserve(byteLength, type)
    return block > 0 ? block : this.#roomy(byteLength, block, () => this.#writer.reserve(byteLength, type))
  }

  /** A part of it. */
  write(block: number, position: number, bytes: Uint8Array): void {
    this.#writer.write(block, position, bytes)
  }

  /** It is not wanted any more, and is wiped. */
  abandon(block: number): void {
    this.#writer.abandon(block)
  }

  /** So many keys are to be loaded: its index need not grow with them. */
  expect(keys: number): void {
    if (keys <= this.#size.maxKeys) this.#writer.prepare(keys, 0) // where there is no room, loading says so
  }

  /** A value of before, with the version it had. Only before anybody has the area. @throws ERR_LIMIT it does not fit */
  load(key: string, value: { type: number; version: bigint; bytes: Uint8Array }): void {
    if (value.version > this.#versions.after) this.beginAfter(value.version)
    const code = this.#writer.load(key, value)
    if (code < 0) throw this.#failure(code, value.bytes.length)
  }

  /** Of an area that nobody has: this version was given, and what it gives comes after it. */
  beginAfter(version: bigint): void {
    this.#versions.beginAfter(version, this.#writer)
  }

  /**
   * For an area without readers: removes these keys.
   * @throws ERR_LIMIT if there is no room for that
   */
  forget(keys: readonly string[]): void {
    for (let i = 0; i < keys.length; i += RETIRED_AT_ONCE) {
      const edits = keys.slice(i, i + RETIRED_AT_ONCE).map((key) => ({ key }))
      this.#useVersions(edits.length)
      const code = this.#writer.commit(edits)
      if (typeof code === 'number') throw this.#failure(code, 0)
    }
  }

  /**
   * Moves all values to an area of this size, and continues the versions.
   * @throws ERR_LIMIT if they do not fit; then nothing has changed; ENOMEM
   */
  move(size: AreaSize): void {
    const next = this.#next.take(this.#writer, size)
    let reader: AreaReader | undefined
    try {
      const code = this.#writer.copyTo(next)
      if (code < 0) throw this.#failure(code, 0, size)
      reader = readerOf(next)
      if (this.#replica !== null) tellReplica(next, this.#replica)
    } catch (error) {
      next.close()
      throw error
    }
    const [before, readerBefore] = [this.#writer, this.#reader]
    before.markMoved()
    this.#writer = next
    this.#reader = reader
    this.#size = size
    this.#moves += 1
    this.#reasons.moved()
    this.#onMoved()
    readerBefore.close()
    before.close()
  }

  /** Its values are in other areas, which no reader has yet. Its readers notice, and it is not written any more. */
  markMoved(): void {
    this.#moves += 1
    this.#writer.markMoved()
  }

  /** After `markMoved`. Readers keep what they have. */
  leave(): void {
    this.#next.drop()
    this.#reader.close()
    this.#writer.close()
  }

  /** Readers keep their values, and notice that these do not change any more. */
  close(): void {
    this.#next.drop()
    this.#writer.markClosed()
    this.#reader.close()
    this.#writer.close()
  }

  /** Makes room and tries again, as long as there is something to be done. */
  #roomy<T>(bytes: number, code: number, attempt: () => T | number, mayMove = true): T {
    let failed = code
    const means = [() => this.#retire(), () => mayMove && this.#compact(bytes, failed)]
    for (const makeRoom of means) {
      if (!makeRoom()) continue
      const result = attempt()
      if (typeof result !== 'number' || result > 0) return result as T
      failed = result
    }
    throw this.#failure(failed, bytes)
  }

  /** The places of deleted keys are kept, since they may come back: but not more of them than there are keys, and some. */
  #retireOld(): void {
    this.#deletes = 0
    const { keys, deletedKeys } = this.#writer.stats
    if (deletedKeys > keys + KEPT_DELETED) this.#retire()
  }

  #retire(): boolean {
    this.#useVersions(RETIRED_AT_ONCE)
    return this.#writer.retire(RETIRED_AT_ONCE) > 0
  }

  /** Moves to a new area of the same size, which has one free block, and another hash for keys. */
  #compact(bytes: number, code: number): boolean {
    const { heapBytes, usedBytes, freeBytes } = this.#writer.stats
    const isWorthIt =
      code === areaWriteCodes.FULL
        ? freeBytes >= heapBytes / FREE_PART
        : code === areaWriteCodes.TOO_MANY_ALIKE && this.#reasons.mayHashAnew(usedBytes)
    const fits = usedBytes + 2 * bytes <= heapBytes - heapBytes / 8
    return isWorthIt && fits && this.#tryMove()
  }

  #tryMove(): boolean {
    try {
      this.move(this.#size)
      return true
    } catch (error) {
      if (isNoRoom(error)) return false
      throw error
    }
  }

  /**
   * Whether the area has become much larger than its contents. A little moves at once; for more, memory is prepared
   * first.
   */
  #look(): void {
    const urgency = this.#reasons.look(this.#writer.room)
    if (urgency === 'now') this.#tryMove()
    else if (urgency === 'soon') this.#next.prepare(this.#writer, this.#size)
  }

  #useVersions(count: number): void {
    if (!this.#versions.spend(count)) this.#versions.renew(this.#writer)
  }

  #failure(code: number, bytes: number, size = this.#size): Error {
    return misfitError({ code, bytes, size, stats: this.#writer.stats })
  }
}

function tellReplica(writer: AreaWriter, { state, applied, contact }: ReplicaWords): void {
  writer.setReplica(state, applied, BigInt(Math.round(contact * NANOSECONDS)))
}

function readerOf(writer: AreaWriter): AreaReader {
  const fd = writer.share()
  try {
    return AreaReader.attach(fd)
  } finally {
    fd.close()
  }
}
