/** A handle of one key of a store. Repeated reads by it are cheaper than looking up the key each time. */
import { inspected, introduce, keepFromCloning } from 'memfd-native'
import type { DeepReadonly, Json } from './json.ts'
import { typeName } from './reading.ts'
import type { StoredValue } from './stored-value.ts'

/**
 * A handle of one key, made by `entry()` and valid as long as its store. It reads the current value, also after a
 * restart of the owner.
 */
export class StoreEntry<T = Json> {
  /** The key. */
  readonly key: string
  readonly #stored: StoredValue

  /** @internal */
  constructor(stored: StoredValue) {
    this.#stored = stored
    this.key = stored.name
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { key: this.key })
  }

  /**
   * The current value: JSON is frozen, and the same object while it is unchanged; bytes are a copy; undefined if the
   * key has no value.
   * @throws as get()
   */
  get value(): DeepReadonly<T> | Uint8Array | undefined {
    const stored = this.#stored
    return (stored.isFresh() ? stored.value : stored.get()) as DeepReadonly<T> | Uint8Array | undefined
  }

  /**
   * The version of the current value; 0n if the key has no value.
   * @throws as get()
   */
  get version(): bigint {
    this.#stored.look()
    return this.#stored.version
  }

  /**
   * The length of the current value in bytes, for JSON of its text; 0 if the key has no value.
   * @throws as get()
   */
  get byteLength(): number {
    this.#stored.look()
    return this.#stored.byteLength
  }

  /**
   * The type of the current value; null if the key has no value.
   * @throws as get()
   */
  get type(): 'json' | 'bytes' | null {
    this.#stored.look()
    return typeName(this.#stored.type)
  }
}
