/**
 * Copies values to other areas, a part in each turn of the event loop. The old areas stay in use meanwhile, and values
 * that change in them are copied again.
 */
import { now } from '../util/timers.ts'
import { type AreaFilling, type AreasToFill, fillInSteps } from './area-plan.ts'
import type { OwnedArea } from './owned-area.ts'
import { AreaRecords, type StoredRecord } from './stored-record.ts'

export interface CopyingOptions extends Omit<AreasToFill, 'sources'> {
  /** Whose values go to others. */
  readonly leaving: readonly OwnedArea[]
  /** What a key has now; null: nothing. */
  readonly read: (key: string) => StoredRecord | null
}

/** Of one turn. */
const MILLISECONDS = 4
/** If writers are faster than the copying, the rest is copied in one turn. */
const MOST_TURNS_BEHIND = 64

export class AreaCopying {
  readonly #options: CopyingOptions
  readonly #moves: readonly number[]
  readonly #steps: Generator<void, AreaFilling>
  #filling: AreaFilling | null = null
  /** Keys that have changed since; and those of them that are gone. */
  readonly #changed = new Set<string>()
  readonly #gone = new Set<string>()
  #turnsBehind = 0

  constructor(options: CopyingOptions) {
    const { plans, onMoved, leaving } = options
    this.#options = options
    this.#moves = leaving.map(({ moves }) => moves)
    this.#steps = fillInSteps({ plans, sources: leaving.map(({ reader }) => new AreaRecords(reader)), onMoved })
  }

  /** These have changed in the areas of before. */
  changed(keys: readonly string[]): void {
    for (const key of keys) this.#changed.add(key)
  }

  /** For a few milliseconds. @returns whether there is more. @throws as fillAreas; it has moved meanwhile, and all was for nothing */
  copySome(): boolean {
    this.#checkPlace()
    if (this.#filling !== null) this.#turnsBehind += 1
    if (this.#turnsBehind > MOST_TURNS_BEHIND) return false
    for (const end = now() + MILLISECONDS; now() < end; ) if (!this.#step()) return false
    return true
  }

  /**
   * Copies the rest.
   * @returns all areas of the plan; no reader has the new ones yet
   * @throws as copySome
   */
  finish(): readonly OwnedArea[] {
    this.#checkPlace()
    while (this.#step());
    const filling = this.#filling as AreaFilling
    // Versions that the old areas have used meanwhile must not be used again.
    for (const area of filling.made)
      for (const { version } of this.#options.leaving) if (version > area.version) area.beginAfter(version)
    for (const area of filling.made) area.forget([...this.#gone].filter((key) => filling.areaOf(key) === area))
    return filling.areas
  }

  /** The new areas are not wanted. */
  drop(): void {
    this.#filling?.drop()
    this.#steps.return(undefined as never)
  }

  /** @returns false: nothing was left to be done */
  #step(): boolean {
    if (this.#filling !== null) return this.#putChanged(this.#filling)
    const step = this.#steps.next()
    if (step.done === true) this.#filling = step.value
    return true
  }

  #putChanged(filling: AreaFilling): boolean {
    const [key] = this.#changed
    if (key === undefined) return false
    this.#changed.delete(key)
    if (!filling.made.includes(filling.areaOf(key))) return true // its area stays
    const record = this.#options.read(key)
    if (record === null) this.#gone.add(key)
    else {
      this.#gone.delete(key)
      filling.load(record)
    }
    return true
  }

  #checkPlace(): void {
    if (this.#options.leaving.some(({ moves }, i) => moves !== this.#moves[i]))
      throw new Error('the values have moved to another area')
  }
}
