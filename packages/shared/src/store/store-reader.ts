/** Reads of a store, of one area or several: synchronous, never torn, from memory that others write (docs/protocol.md, section 9). */
import { Buffer } from 'node:buffer'
import { areaCodes, areaStates, areaTypes } from 'memfd-native'
import { checkBytes, checkInteger, checkLong, checkObject, checkString } from '../util/check.ts'
import { BadParcelError, ClosedError, ConflictError, UnsupportedOperationError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { type Freshness, freshnessOf } from './freshness.ts'
import { decode, type Json } from './json.ts'
import { KeyPatterns } from './key-patterns.ts'
import { STORE_LIMITS } from './limits.ts'
import { PassingReads } from './passing-reads.ts'
import { type StoreSnapshotEntry, typeName } from './reading.ts'
import { checkKey, isPrefix } from './store-key.ts'
import type { StoredRecord } from './stored-record.ts'
import { type KeySource, type ReadableArea, StoredValue } from './stored-value.ts'
import { ValueCache } from './value-cache.ts'

/** A part of a store: the keys that these patterns take are in this area. */
export interface StoreArea extends ReadableArea {
  /** Keys, or their beginnings and a `*`. */
  readonly patterns: readonly string[]
}

/** Which part of a value to read. */
export interface ReadBytesOptions {
  /** Where to begin in the value, in bytes. Default 0. */
  position?: number
  /** Read only if the value has this version. */
  version?: bigint
}

export class StoreReader implements KeySource {
  #areas: readonly StoreArea[] = []
  #patterns = new KeyPatterns([])
  readonly #cache = new ValueCache()
  readonly #follow: () => boolean
  #isClosed = false
  readonly #passing = new PassingReads()

  /** @param follow called when an area has moved: see KeySource */
  constructor(follow: () => boolean = () => false) {
    this.#follow = follow
  }

  get areas(): readonly StoreArea[] {
    return this.#areas
  }

  /** From now on the values are in these areas. The ones of before are the caller's to close. */
  replace(areas: readonly StoreArea[]): void {
    this.#areas = areas
    this.#patterns = new KeyPatterns(areas.map(({ patterns }) => patterns))
  }

  areaOf(key: string): StoreArea | undefined {
    return this.#areas[this.#patterns.areaOf(key)] ?? this.#noArea()
  }

  /** @throws ERR_CLOSED */
  #noArea(): undefined {
    if (this.#isClosed) throw new ClosedError('the store was closed')
    return undefined
  }

  /**
   * The index of the key's area in `areas`; -1 if no area has a pattern for it.
   * @throws ERR_CLOSED
   */
  numberOf(key: string): number {
    const number = this.#patterns.areaOf(key)
    if (number < 0) this.#noArea()
    return number
  }

  follow(): boolean {
    return this.#follow()
  }

  /** The value that is kept of a key, if it still is the value: for the hot path of `get`. */
  cached(key: string): StoredValue | undefined {
    const stored = this.#cache.get(key)
    if (stored === undefined || !stored.isFresh()) return undefined
    stored.wasUsed = true
    return stored
  }

  get(key: string): Json | Uint8Array | undefined {
    const stored = this.#storedOf(key)
    const before = stored.textBytes
    const value = stored.get()
    if (stored.textBytes !== before) this.#cache.resized(stored, before)
    return value
  }

  /** As get, for reads of many: what a writer has called JSON and is none is its bytes, and spoils no other value. */
  getTolerantly(key: string): Json | Uint8Array | undefined {
    try {
      return this.get(key)
    } catch (error) {
      if (!(error instanceof BadParcelError)) throw error
      return this.getBytes(key)
    }
  }

  getBytes(key: string): Uint8Array | undefined {
    return this.#storedOf(key).getBytes()
  }

  readBytes(key: string, target: Uint8Array, options?: ReadBytesOptions): number {
    checkBytes('target', target)
    if (options === undefined && this.#cache.isFull && this.#passing.isPassing(key, this.#cache)) {
      const count = this.#readInPassing(key, target)
      if (count >= 0) return count
    }
    const stored = this.#storedOf(key)
    if (options === undefined) return presentOr(stored.copyTo(target, 0))
    const { position = 0, version } = options
    checkInteger('position', position, 0, Number.MAX_SAFE_INTEGER)
    if (version === undefined) return presentOr(stored.copyTo(target, position))
    checkLong('version', version)
    if (version === 0n) return this.#readAbsent(key)
    const count = stored.read(target, position, version)
    if (count === areaCodes.CONFLICT) throw new ConflictError(key, stored.version)
    if (count === areaCodes.ABSENT) throw new ConflictError(key, 0n)
    return count
  }

  /** 0n is the version of a key that has no value. */
  #readAbsent(key: string): number {
    const version = this.versionOf(key)
    if (version !== 0n) throw new ConflictError(key, version)
    return -1
  }

  has(key: string): boolean {
    return this.versionOf(key) !== 0n
  }

  /** 0n: absent. */
  versionOf(key: string): bigint {
    const stored = this.#storedOf(key)
    stored.look()
    return stored.version
  }

  /** All of it at once, and nothing of it is kept; null: absent. The bytes are a copy. */
  recordOf(name: string): StoredRecord | null {
    const key = this.areaOf(name)?.reader.key(name)
    if (key === undefined || key.read(null) < 0) return null
    const bytes = Buffer.allocUnsafeSlow(key.byteLength)
    key.read(bytes)
    return { key: name, type: key.type, version: key.version, bytes }
  }

  /** 0: absent, or empty. */
  byteLengthOf(key: string): number {
    const stored = this.#storedOf(key)
    stored.look()
    return stored.byteLength
  }

  getEntry(key: string, read = this.get): StoreSnapshotEntry {
    const stored = this.#storedOf(key)
    const value = read.call(this, key)
    return { key, value, version: stored.version, byteLength: stored.byteLength, type: typeName(stored.type) }
  }

  /** For a handle that is kept: the same that `get` reads by. */
  stored(key: string): StoredValue {
    return this.#storedOf(key)
  }

  get size(): number {
    this.#followMoved()
    return this.#areas.reduce((sum, { reader }) => sum + reader.header.liveKeys, 0)
  }

  /** Sorted. */
  keys(prefix = ''): string[] {
    checkString('prefix', prefix)
    this.#followMoved()
    return this.#areasWith(prefix)
      .flatMap(({ reader }) => patiently(() => reader.keys(prefix)))
      .sort()
  }

  entries(prefix = ''): [string, Json | Uint8Array][] {
    const found: [string, Json | Uint8Array][] = []
    for (const key of this.keys(prefix)) {
      const value = this.getTolerantly(key)
      if (value !== undefined) found.push([key, value])
    }
    return found
  }

  snapshot(which: readonly string[] | { prefix: string }): Map<string, Json | Uint8Array> {
    this.#followMoved()
    const area = this.#areaOfAll(which)
    const values = new Map<string, Json | Uint8Array>()
    if (area === undefined) return values
    const snapshot = patiently(() => area.reader.snapshot(which))
    for (const [key, { type, bytes }] of snapshot.values) {
      values.set(key, type === areaTypes.BYTES ? bytes : decodeCopy(bytes))
    }
    return values
  }

  /** Whether the owner has closed an area: nothing changes there any more, although its process may live. */
  get isEnded(): boolean {
    return this.#areas.some(({ reader }) => reader.header.state === areaStates.CLOSED)
  }

  /** The version of the last transaction. */
  get version(): bigint {
    this.#followMoved()
    return this.#areas.reduce((last, { reader }) => maxOf(last, reader.header.committed), 0n)
  }

  /** Of a copy; null: it is none. */
  get freshness(): Freshness | null {
    this.#followMoved()
    return freshnessOf(this.#areas.map(({ reader }) => reader.header))
  }

  close(): void {
    this.#isClosed = true
    for (const { reader } of this.#areas) reader.close()
    this.replace([])
    this.#cache.clear()
  }

  /** Reads without the cache. Below 0: read it as usual, which also refuses bad keys. */
  #readInPassing(key: string, target: Uint8Array): number {
    if (typeof key !== 'string') return -1
    return this.areaOf(key)?.reader.readOnce(key, target) ?? -1
  }

  #storedOf(key: string): StoredValue {
    const known = this.#cache.get(key)
    if (known !== undefined) {
      known.wasUsed = true
      return known
    }
    checkKey(key)
    const stored = new StoredValue(this, key)
    this.#cache.add(stored)
    return stored
  }

  /** The check that every read makes, for reads of several keys. */
  #followMoved(): void {
    if (this.#areas.length === 0) this.#noArea()
    if (this.#areas.some(({ reader }) => reader.header.state === areaStates.MOVED)) this.#follow()
  }

  #areasWith(prefix: string): StoreArea[] {
    if (!isPrefix(prefix)) return []
    return this.#patterns.areasOf(prefix).map((number) => this.#areas[number] as StoreArea)
  }

  #areasOf(keys: readonly string[]): StoreArea[] {
    for (const key of keys) checkKey(key)
    return [...new Set(keys.map((key) => this.areaOf(key)))].filter((area) => area !== undefined)
  }

  #areasWithPrefix(which: { prefix: string }): StoreArea[] {
    checkObject('keys', which)
    checkString('prefix', which.prefix)
    return this.#areasWith(which.prefix)
  }

  #areaOfAll(which: readonly string[] | { prefix: string }): StoreArea | undefined {
    const areas = Array.isArray(which) ? this.#areasOf(which) : this.#areasWithPrefix(which as { prefix: string })
    if (areas.length > 1)
      throw new UnsupportedOperationError('these keys are in several areas: a snapshot can only be of one area')
    return areas[0]
  }
}

/** -1: there is no value. */
function presentOr(count: number): number {
  return count === areaCodes.ABSENT ? -1 : count
}

/** @throws ERR_LIMIT, ERR_BAD_PARCEL */
function patiently<T>(read: () => T | number): T {
  for (let tries = 0; tries < STORE_LIMITS.readTries.limit; tries++) {
    const result = read()
    if (typeof result !== 'number') return result
    if (result !== areaCodes.BUSY) throw new BadParcelError('the area of the store is damaged')
  }
  throw limitError(STORE_LIMITS.readTries, STORE_LIMITS.readTries.limit)
}

/** As getTolerantly. */
function decodeCopy(bytes: Uint8Array): Json | Uint8Array {
  try {
    return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), bytes.length)
  } catch {
    return bytes
  }
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
