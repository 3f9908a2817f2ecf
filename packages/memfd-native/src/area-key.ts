/**
 * One key of an area, read again and again. After a read it knows one word of memory that tells whether anything has changed
 * since: to look at that takes a few nanoseconds, and no call.
 */
import process from 'node:process'
import { AreaMemory } from './area-memory.ts'
import {
  BYTES,
  COUNT,
  doubles,
  ENTRY,
  HANDLE,
  highOf,
  joined,
  KEY_BYTES,
  lowOf,
  NO_ENTRY,
  POSITION,
  passTarget,
  STATE,
  TYPE,
  takeBytes,
  UID,
  VERSION,
  WANTED_VERSION,
  WITNESS,
  WITNESS_AT,
  words,
} from './area-words.ts'
import { checkNumber, typeProblem } from './argument.ts'
import { NO_HANDLE, native } from './binding.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { Bytes, lengthOf, loadWord, setBytes, typeName } from './typed-array.ts'

const { areaRead, areaIsWord } = native

/** A value of so few bytes is kept when it is read again and again: then a copy takes no call. */
const KEPT_BYTES = 256
/** Again is within so many reads of whatever: who goes through more keys than that does not come back soon, and each would take memory. */
const AGAIN = 16_384
const NOT_KEPT = -1

/** Of all keys, as an int32 that goes around. */
let reads = AGAIN + 1

/**
 * One key of an area, which you read once or again and again. Its methods throw ERR_CLOSED after the reader's close().
 */
export class AreaKey {
  /** The key. */
  readonly key: string
  /** The length of the last value that was read, in bytes; 0 if the key had no value. */
  byteLength = 0
  /** The type of the last value that was read, one of `areaTypes`; DELETED if the key had no value. */
  type = 0
  /**
   * The state of the area before that read, one of `areaStates`. If the area has moved, the value is the last one that
   * it had.
   */
  state = 0
  readonly #memory: AreaMemory
  readonly #cell: AreaMemory['cell']
  #entry = NO_ENTRY
  #uidLow = 0
  #uidHigh = 0
  #versionLow = 0
  #versionHigh = 0
  /** The word that tells: in which chunk, where, and what it was. Null: it is asked of native code, or there is none. */
  #chunk: Int32Array | null = null
  #place = 0
  /** The bytes of the version that was read last. */
  #kept: Uint8Array | null = null
  /** `reads` then. */
  #readAt = 0
  #witnessAt = 0
  #witnessLow = 0
  #witnessHigh = 0

  /** @internal Made by AreaReader.key(). */
  constructor(memory: AreaMemory, key: string) {
    this.#memory = memory
    this.#cell = memory.cell
    this.key = key
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { key: this.key, version: this.version })
  }

  /**
   * The version of the last value that was read. For a deleted key it is the version of the deletion, as long as that
   * is known; 0n if the key did not exist.
   */
  get version(): bigint {
    return joined(this.#versionLow, this.#versionHigh)
  }

  /**
   * Whether a read now would return the same as the last one. It is false if that is not known, after a read that
   * returned BUSY or DAMAGED, if the area has moved, and after close().
   */
  isUnchanged(): boolean {
    const chunk = this.#chunk
    // The low half first: the word only grows, so both halves together are never an older value. Unmapped memory is
    // zeros, which never match.
    if (chunk !== null)
      return acquire(chunk, this.#place) === this.#witnessLow && chunk[this.#place + 1] === this.#witnessHigh
    if (this.#witnessAt === 0 || this.#cell.handle === NO_HANDLE) return false
    return areaIsWord(this.#cell.handle, this.#witnessAt, this.#witnessLow, this.#witnessHigh)
  }

  /**
   * Copies the value, from `position` on, as much as fits. `byteLength`, `type`, `version` and `state` are of the same
   * moment.
   * @returns the number of bytes, or one of `areaCodes`; then the contents of `target` are undefined
   * @param target null to copy nothing, and only update these fields
   * @param position in bytes
   * @param version CONFLICT if the value has another version; 0n: any version
   * @throws TypeError (ERR_INVALID_ARG_TYPE), RangeError (ERR_OUT_OF_RANGE)
   */
  read(target: Uint8Array | null, position = 0, version = 0n): number {
    // Whatever would have to be converted could read another key meanwhile, by the same words.
    checkNumber('position', position)
    if (typeof version !== 'bigint') throw typeProblem('version must be a bigint')
    if (version !== 0n || target === null) return this.#read(target, position, version)
    let count = this.copyKept(target, position)
    if (count === NOT_KEPT && this.#keep()) count = this.copyKept(target, position)
    return count === NOT_KEPT ? this.#read(target, position, 0n) : count
  }

  /** @internal Like read(), from the kept copy if it is still current; otherwise -1, and nothing has happened. */
  copyKept(target: Uint8Array, position: number): number {
    const kept = this.#kept
    if (kept === null || !this.isUnchanged() || typeName(target) !== 'Uint8Array') return NOT_KEPT
    if (!Number.isInteger(position) || position < 0 || position > kept.length) return NOT_KEPT
    const count = Math.min(kept.length - position, lengthOf(target))
    if (count > 0) setBytes(target, count === kept.length ? kept : kept.subarray(position, position + count), 0)
    return count
  }

  /** @internal A copy of the kept bytes of the value; null if nothing is kept, or if it is not current any more. */
  keptBytes(): Uint8Array | null {
    const kept = this.#kept
    return kept === null || !this.isUnchanged() ? null : new Bytes(kept)
  }

  /** Keeps the value, if it is few bytes, unchanged, and read again and again. @returns whether it does */
  #keep(): boolean {
    const { byteLength } = this
    if (byteLength === 0 || byteLength > KEPT_BYTES || ((reads - this.#readAt) | 0) > AGAIN || !this.isUnchanged())
      return false
    const bytes = new Bytes(byteLength)
    if (this.#read(bytes, 0, 0n) !== byteLength || this.byteLength !== byteLength) return false
    this.#kept = bytes
    return true
  }

  #read(target: Uint8Array | null, position: number, version: bigint): number {
    words[ENTRY] = this.#entry
    words[UID] = this.#uidLow
    words[UID + 1] = this.#uidHigh
    words[WANTED_VERSION] = version === 0n ? 0 : lowOf(version)
    words[WANTED_VERSION + 1] = version === 0n ? 0 : highOf(version)
    words[KEY_BYTES] = 0
    doubles[POSITION] = position
    doubles[HANDLE] = this.#cell.handle
    const argument = passTarget(target)
    areaRead(this.key, argument)
    const count = doubles[COUNT] as number
    if (argument !== target) takeBytes(target as Uint8Array, count)
    this.#learn()
    return count
  }

  /** What the words say of the value that was read. */
  #learn(): void {
    const versionLow = words[VERSION] as number
    const versionHigh = words[VERSION + 1] as number
    if (versionLow !== this.#versionLow || versionHigh !== this.#versionHigh) this.#kept = null
    reads = (reads + 1) | 0
    this.#readAt = reads
    this.#entry = words[ENTRY] as number
    this.#uidLow = words[UID] as number
    this.#uidHigh = words[UID + 1] as number
    this.#versionLow = versionLow
    this.#versionHigh = versionHigh
    this.byteLength = (words[BYTES] as number) >>> 0
    this.type = words[TYPE] as number
    this.state = words[STATE] as number
    this.#witnessLow = words[WITNESS] as number
    this.#witnessHigh = words[WITNESS + 1] as number
    const at = words[WITNESS_AT] as number
    // A word of zeros (the area never had a key) looks like unmapped memory, so native code is asked.
    const isZero = this.#witnessLow === 0 && this.#witnessHigh === 0
    if (at !== this.#witnessAt || isZero || this.#chunk === null) this.#watch(at, isZero)
  }

  #watch(at: number, isZero: boolean): void {
    this.#witnessAt = at
    this.#chunk = at === 0 || isZero ? null : this.#memory.chunkOf(at)
    this.#place = AreaMemory.placeOf(at)
  }
}

/**
 * A load that happens before all later ones. On x86-64 every load does, so a plain one is enough, and much cheaper
 * (docs/decisions/0008): V8 does not move loads of typed arrays, and repeats them in each turn of a loop.
 */
const acquire: (words: Int32Array, place: number) => number | undefined =
  process.arch === 'x64' ? (words, place) => words[place] : loadWord
