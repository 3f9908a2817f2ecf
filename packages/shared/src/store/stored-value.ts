/**
 * One key that is read again and again: the value that was read last, and whether it is still current. That check takes
 * two loads of one word (docs/decisions/0008), and no call.
 */
import { Buffer } from 'node:buffer'
import { type AreaKey, type AreaReader, areaCodes, areaStates, areaTypes } from 'memfd-native'
import { BadParcelError, LimitError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { decode, type Json } from './json.ts'
import { STORE_LIMITS } from './limits.ts'

/** The areas behind a reader's keys. They change at a restart of the owner, and when values move. */
export interface ReadableArea {
  readonly reader: AreaReader
}

/** Where a key is to be read. */
export interface KeySource {
  /** Undefined: nowhere, there is no such key. */
  areaOf(key: string): ReadableArea | undefined
  /** The values of an area are in another one now. @returns whether that one has been taken */
  follow(): boolean
}

/** A private buffer for a first read, before the length is known. */
const scratch = Buffer.alloc(64 * 1024)

export class StoredValue {
  readonly name: string
  /** Second chance of the cache: see there. */
  wasUsed = true
  /** Bytes of the text of `value`, for the cache to count. */
  textBytes = 0
  /** The frozen value, if it is JSON; otherwise undefined. */
  value: Json | undefined = undefined
  readonly #source: KeySource
  #area: ReadableArea | undefined
  #key: AreaKey | null = null
  /** The same, while `value` is of the version that it read last, and no bytes. */
  #watched: AreaKey | null = null
  #decodedVersion = 0n

  constructor(source: KeySource, name: string) {
    this.#source = source
    this.name = name
  }

  /** Whether `value` is what a read would answer now. Never true of bytes. */
  isFresh(): boolean {
    return this.#watched?.isUnchanged() === true
  }

  /** The value now: frozen, or a copy of the bytes that is the caller's. @throws as `read` */
  get(): Json | Uint8Array | undefined {
    if (this.isFresh()) return this.value
    return (this.type === areaTypes.BYTES ? this.#key?.keptBytes() : null) ?? this.#load()
  }

  /** The bytes now, a copy that is the caller's. @throws as `read` */
  getBytes(): Uint8Array | undefined {
    const kept = this.#key?.keptBytes() ?? null
    if (kept !== null) return kept
    const [bytes, length] = this.#copy()
    return length < 0 ? undefined : ownBytes(bytes, length)
  }

  /** As `read` of any version. */
  copyTo(target: Uint8Array, position: number): number {
    const count = this.#key?.copyKept(target, position) ?? -1
    return count < 0 ? this.read(target, position, 0n) : count
  }

  /** Learns version, type and length as they are now. @throws as `read` */
  look(): void {
    if (this.#key === null || !this.#key.isUnchanged()) this.read(null, 0, 0n)
  }

  /** The version of the value that was read last; 0n if there was none. */
  get version(): bigint {
    return this.type === areaTypes.DELETED ? 0n : (this.#key?.version ?? 0n)
  }

  /** Of what was read last: `areaTypes`. */
  get type(): number {
    return this.#key?.type ?? areaTypes.DELETED
  }

  /** Of what was read last. */
  get byteLength(): number {
    return this.#key?.byteLength ?? 0
  }

  /**
   * Copies what fits into `target`.
   * @returns how much, or `areaCodes`: ABSENT, CONFLICT
   * @throws ERR_LIMIT the owner is faster than every try; ERR_BAD_PARCEL it has written what no owner writes; ERR_CLOSED
   */
  read(target: Uint8Array | null, position: number, version: bigint): number {
    for (let tries = 0; tries < STORE_LIMITS.readTries.limit; tries++) {
      const key = this.#bind()
      if (key === null) return areaCodes.ABSENT
      const count = key.read(target, position, version)
      if (this.#watched !== null && key.version !== this.#decodedVersion) this.#watched = null
      if (key.state === areaStates.MOVED && this.#source.follow()) continue
      if (count >= 0 || count === areaCodes.ABSENT || count === areaCodes.CONFLICT) return count
      if (count === areaCodes.DAMAGED) throw new BadParcelError('the area of the store is damaged')
    }
    throw limitError(STORE_LIMITS.readTries, STORE_LIMITS.readTries.limit)
  }

  /** The key in the area that has its values now; null: none. */
  #bind(): AreaKey | null {
    const area = this.#source.areaOf(this.name)
    if (area === this.#area) return this.#key
    this.#area = area
    this.#key = area === undefined ? null : area.reader.key(this.name)
    return this.#key
  }

  #load(): Json | Uint8Array | undefined {
    const known = this.#decodedVersion
    const [bytes, length] = this.#copy()
    if (length >= 0 && this.type === areaTypes.BYTES) {
      this.#forget()
      return ownBytes(bytes, length)
    }
    const version = this.#key?.version ?? 0n
    // A version is never given twice: what it was decoded to is still what it is, also in another area.
    if (length < 0 || version === 0n || version !== known || this.value === undefined) {
      this.#forget()
      if (length >= 0) this.value = decode(bytes, length)
      this.textBytes = Math.max(length, 0)
    }
    this.#decodedVersion = version
    this.#watched = this.#key
    return this.value
  }

  #forget(): void {
    this.value = undefined
    this.textBytes = 0
    this.#watched = null
    this.#decodedVersion = 0n
  }

  /** The bytes of the value, in memory that the next read reuses; the number is -1 if the key has no value. */
  #copy(): [Buffer, number] {
    for (let bytes = scratch; ; bytes = Buffer.allocUnsafeSlow(checkedLength(this.byteLength))) {
      const count = this.read(bytes, 0, 0n)
      if (count < 0) return [bytes, -1]
      if (count === this.byteLength) return [bytes, count]
    }
  }
}

/** The caller's own. */
function ownBytes(bytes: Buffer, length: number): Uint8Array {
  return bytes === scratch ? new Uint8Array(bytes.subarray(0, length)) : new Uint8Array(bytes.buffer, 0, length)
}

/** @throws ERR_LIMIT so many bytes are not read at once */
function checkedLength(bytes: number): number {
  const { wholeBytes } = STORE_LIMITS
  if (bytes > wholeBytes.limit) throw new LimitError(wholeBytes.name, wholeBytes.limit, bytes)
  return bytes
}
