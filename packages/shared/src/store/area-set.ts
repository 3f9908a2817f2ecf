/** The areas of a store, and how other areas replace them: at once, or after their values were copied in parts. */
import { ClosedError, IllegalStateError } from '../util/errors.ts'
import { setImmediate } from '../util/timers.ts'
import { AreaCopying } from './area-copying.ts'
import { fillAreas, type PlannedArea } from './area-plan.ts'
import type { OwnedArea } from './owned-area.ts'
import type { ReplicaWords } from './replica-words.ts'
import { AreaRecords, type RecordSource, type StoredRecord } from './stored-record.ts'
import { givenUpTo } from './versions.ts'

/** In their order; an area that is there stays, with the same keys. */
export type AreaPlans = readonly (PlannedArea | OwnedArea)[]

export interface AreaSetOptions {
  readonly plans: readonly PlannedArea[]
  readonly records: readonly RecordSource[]
  /** What a key has now; null: nothing. */
  readonly read: (key: string) => StoredRecord | null
  /** Told when values are in another area: see OwnedArea. */
  readonly onMoved: () => void
}

export class AreaSet {
  readonly #options: AreaSetOptions
  #areas: readonly OwnedArea[]
  #replica: ReplicaWords | null = null
  /** Under way to other areas. */
  #copying: AreaCopying | null = null
  #isClosed = false

  /** @throws as fillAreas */
  constructor(options: AreaSetOptions) {
    this.#options = options
    this.#areas = fillAreas({ plans: options.plans, sources: options.records, onMoved: options.onMoved })
  }

  get areas(): readonly OwnedArea[] {
    return this.#areas
  }

  /** Whether it has to know what changes. */
  get isCopying(): boolean {
    return this.#copying !== null
  }

  /** These keys have changed. */
  changed(keys: readonly string[]): void {
    this.#copying?.changed(keys)
  }

  /** What readers are told of a copy. */
  setReplica(words: ReplicaWords): void {
    this.#replica = words
    for (const area of this.#areas) area.setReplica(words)
  }

  /**
   * Keys go to other areas; those of before are left for good.
   * @throws ERR_LIMIT they do not fit; ERR_INVALID_ARG_VALUE no area takes one of the keys. Nothing has changed then
   */
  rearrange(plans: AreaPlans): void {
    const leaving = this.#beginLeaving(plans)
    const sources = leaving.map(({ reader }) => new AreaRecords(reader))
    this.#changeTo(fillAreas({ plans, sources, onMoved: this.#options.onMoved }), leaving)
  }

  /**
   * Like rearrange, but prepares the areas in parts, one in each turn of the event loop, while the store stays in use.
   * @param plan for the current areas
   * @param change calls its argument, which replaces the areas
   * @throws as rearrange; ERR_CLOSED; ERR_ILLEGAL_STATE if the areas were set again meanwhile
   */
  async rearrangeInTurns(plan: () => AreaPlans, change: (rearrange: () => void) => void): Promise<void> {
    const plans = plan()
    const leaving = this.#beginLeaving(plans)
    const copying = new AreaCopying({ ...this.#options, plans, leaving })
    this.#copying = copying
    let next: readonly OwnedArea[] | null = null
    try {
      await this.#copyInTurns(copying)
      next = copying.finish()
    } catch {
      copying.drop() // why it fails is found again below, if it was not for the turns between
    }
    this.#checkStill(copying)
    this.#copying = null
    const again = plan()
    // In the turn in which it was finished: nothing changes between.
    if (next === null) change(() => this.rearrange(again))
    else change(() => this.#changeTo(next, leaving))
  }

  close(): void {
    this.#isClosed = true
    this.#endCopying()
    for (const area of this.#areas) givenUpTo(area.version)
    for (const area of this.#areas) area.close()
  }

  async #copyInTurns(copying: AreaCopying): Promise<void> {
    while (copying.copySome()) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      this.#checkStill(copying)
    }
  }

  #checkStill(copying: AreaCopying): void {
    if (this.#isClosed) throw new ClosedError('the store was closed')
    if (this.#copying !== copying) throw new IllegalStateError('the areas of the store were set again meanwhile')
  }

  #endCopying(): void {
    this.#copying?.drop()
    this.#copying = null
  }

  /** @returns the areas that do not stay */
  #beginLeaving(plans: AreaPlans): OwnedArea[] {
    this.#endCopying()
    for (const area of this.#areas) givenUpTo(area.version)
    return this.#areas.filter((area) => !plans.includes(area))
  }

  #changeTo(next: readonly OwnedArea[], leaving: readonly OwnedArea[]): void {
    if (this.#replica !== null) for (const area of next) area.setReplica(this.#replica)
    for (const area of leaving) area.markMoved()
    this.#areas = next
    this.#options.onMoved()
    for (const area of leaving) area.leave()
  }
}
