/** What an owner knows of a key, and where it gets it from when it begins again or puts keys into other areas. */
import { Buffer } from 'node:buffer'
import { type AreaReader, areaTypes } from 'memfd-native'

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
  /** The last version that was given in each range that these records had. */
  readonly lastVersions: readonly bigint[]
  /** Of the records, about; absent: not known. */
  readonly count?: number
  /** All keys, with their versions. */
  versions(): Iterable<[key: string, version: bigint]>
  records(): Iterable<StoredRecord>
}

const FIRST_BUFFER_BYTES = 64 * 1024

/** What lies in an area that nobody writes any more. Borrows the reader. */
export class AreaRecords implements RecordSource {
  readonly #reader: AreaReader

  constructor(reader: AreaReader) {
    this.#reader = reader
  }

  get lastVersions(): bigint[] {
    return [this.#reader.header.committed]
  }

  *versions(): Iterable<[key: string, version: bigint]> {
    for (const name of this.#keys()) {
      const key = this.#reader.key(name)
      if (key.read(null) >= 0) yield [name, key.version]
    }
  }

  *records(): Iterable<StoredRecord> {
    let bytes = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
    for (const name of this.#keys()) {
      const key = this.#reader.key(name)
      if (key.read(null) < 0) continue
      if (key.byteLength > bytes.length) bytes = Buffer.allocUnsafeSlow(key.byteLength)
      const count = key.read(bytes)
      if (count < 0 || (key.type !== areaTypes.BYTES && key.type !== areaTypes.JSON)) continue
      yield { key: name, type: key.type, version: key.version, bytes: bytes.subarray(0, count) }
    }
  }

  #keys(): string[] {
    const keys = this.#reader.keys()
    if (typeof keys === 'number') throw new Error(`the area cannot be read: ${keys}`)
    return keys
  }
}
