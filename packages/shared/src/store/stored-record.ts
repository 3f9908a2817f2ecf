/** What an owner knows about a key, for a restart or a move to other areas. */
import { Buffer } from 'node:buffer'
import { type AreaReader, areaCodes, areaTypes } from 'memfd-native'

/** A value of before. */
export interface StoredRecord {
  readonly key: string
  /** `areaTypes`: BYTES or JSON */
  readonly type: number
  /** Good until the next one is taken. */
  readonly bytes: Uint8Array
  readonly version: bigint
}

/** Who pays for a key, and when it ends. */
export interface KeyNote {
  /** Null: nobody. */
  readonly payer: number | null
  /** Milliseconds since 1970; null: never. */
  readonly endsAt: number | null
}

/** Records of a store, in no particular order; no key is in two sources. */
export interface RecordSource {
  /** The last version that was given in each area that these records were in. */
  readonly lastVersions: readonly bigint[]
  /** Of the records, about; absent: not known. */
  readonly count?: number
  records(): Iterable<StoredRecord>
}

const FIRST_BUFFER_BYTES = 64 * 1024
/** Of keys, that are looked at in one go. */
const PLACES = 1024

/** What lies in an area: of one that is written meanwhile, all keys that were there all the time. Borrows the reader. */
export class AreaRecords implements RecordSource {
  readonly #reader: AreaReader

  constructor(reader: AreaReader) {
    this.#reader = reader
  }

  get lastVersions(): bigint[] {
    return [this.#reader.header.committed]
  }

  *records(): Iterable<StoredRecord> {
    let bytes = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
    for (const name of this.#names()) {
      const key = this.#reader.key(name)
      if (key.read(null) < 0) continue
      if (key.byteLength > bytes.length) bytes = Buffer.allocUnsafeSlow(key.byteLength)
      const count = key.read(bytes)
      if (count < 0 || (key.type !== areaTypes.BYTES && key.type !== areaTypes.JSON)) continue
      yield { key: name, type: key.type, version: key.version, bytes: bytes.subarray(0, count) }
    }
  }

  /** Some at a time: what comes in places that were passed already has changed since. */
  *#names(): Iterable<string> {
    for (let place = 0; ; place += PLACES) {
      const keys = this.#reader.keysAt(place, PLACES)
      if (keys === areaCodes.ABSENT) return
      if (typeof keys === 'number') throw new Error(`the area cannot be read: ${keys}`)
      yield* keys
    }
  }
}
