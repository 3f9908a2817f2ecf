/** `OwnedStore.onChange`: told of changes in the order in which they were made, each with the value that it made. */
import { type Given, givenInContext, NOT_GIVEN } from '../binder/calling-identity.ts'
import { reportCallbackError } from '../util/report.ts'
import type { StoreChange } from './reading.ts'

export class ChangeCallback {
  #callback: Given<(change: StoreChange) => void> = NOT_GIVEN
  readonly #untold: StoreChange[] = []
  #isTelling = false

  /** As it was given. */
  get given(): ((change: StoreChange) => void) | null {
    return this.#callback.given
  }

  set given(callback: ((change: StoreChange) => void) | null) {
    this.#callback = givenInContext('onChange', callback)
  }

  get isGiven(): boolean {
    return this.#callback.call !== null
  }

  /** @param read the value of now: what the callback changes is told behind these */
  tell(keys: readonly string[], version: bigint, read: (key: string) => StoreChange['value']): void {
    for (const key of keys) reportingErrors(() => this.#untold.push({ key, value: read(key), version }))
    if (this.#isTelling) return
    this.#isTelling = true
    for (let change = this.#untold.shift(); change !== undefined; change = this.#untold.shift()) this.#call(change)
    this.#isTelling = false
  }

  /** What was not told yet is not told any more. */
  clear(): void {
    this.#untold.length = 0
  }

  #call(change: StoreChange): void {
    reportingErrors(() => this.#callback.call?.(change))
  }
}

function reportingErrors(tell: () => void): void {
  try {
    tell()
  } catch (error) {
    reportCallbackError('onChange of a store', error)
  }
}
