/** One key of a store, to be read again and again: cheaper than to look it up each time. */
import { inspected, introduce, keepFromCloning } from 'memfd-native'
import type { DeepReadonly, Json } from './json.ts'
import { typeName } from './reading.ts'
import type { StoredValue } from './stored-value.ts'

/** Made by `entry()` of a store, and good as long as that: it reads what the key has now, also after a restart of the owner. */
export class StoreEntry<T = Json> {
  /** Its name. */
  readonly key: string
  readonly #stored: StoredValue

  /** @internal */
  constructor(stored: StoredValue) {
    this.#stored = stored
    this.key = stored.name
    keepFromCloning(this)
  }

  /** For console.log: what it is, in one line. */
  [inspected](): string {
    return introduce(this, { key: this.key })
  }

  /** The value now: JSON frozen, and the same object while it is unchanged; a copy of bytes; undefined: absent. @throws as get() */
  get value(): DeepReadonly<T> | Uint8Array | undefined {
    const stored = this.#stored
    return (stored.isFresh() ? stored.value : stored.get()) as DeepReadonly<T> | Uint8Array | undefined
  }

  /** Of the value now; 0n: absent. @throws as get() */
  get version(): bigint {
    this.#stored.look()
    return this.#stored.version
  }

  /** Of the value now, in bytes, of JSON of its text; 0: absent. @throws as get() */
  get byteLength(): number {
    this.#stored.look()
    return this.#stored.byteLength
  }

  /** Of the value now; null: absent. @throws as get() */
  get type(): 'json' | 'bytes' | null {
    this.#stored.look()
    return typeName(this.#stored.type)
  }
}
