/** Areas of a store, made with the values that are theirs from the beginning. */
import { InvalidArgValueError } from '../util/errors.ts'
import type { AreaSize } from './area-size.ts'
import { KeyPatterns } from './key-patterns.ts'
import { OwnedArea } from './owned-area.ts'
import type { RecordSource, StoredRecord } from './stored-record.ts'
import { firstVersion, givenUpTo, rangeOf, rangesFor } from './versions.ts'

export interface PlannedArea {
  readonly patterns: readonly string[]
  readonly size: AreaSize
}

export interface AreasToFill {
  /** In their order; an area that is there already stays as it is. */
  readonly plans: readonly (PlannedArea | OwnedArea)[]
  readonly sources: readonly RecordSource[]
  readonly onMoved: () => void
}

/** @throws ERR_LIMIT a value does not fit; ERR_INVALID_ARG_VALUE no area takes a key; errors of memfd_create(2), fallocate(2), mmap(2) */
export function fillAreas(toFill: AreasToFill): readonly OwnedArea[] {
  const steps = fillInSteps(toFill)
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value.areas
}

/** As `fillAreas`, some records in each step. What was made is dropped when it ends before the last one. */
export function* fillInSteps({ plans, sources, onMoved }: AreasToFill): Generator<void, AreaFilling> {
  const patterns = new KeyPatterns(plans.map(({ patterns }) => patterns))
  const needed = plans.map(() => 0)
  let count = 0
  for (const source of sources) {
    for (const version of source.lastVersions) givenUpTo(version)
    // Of an only area whose values are of the lowest range there is nothing to look for.
    if (plans.length === 1 && source.lastVersions.every((version) => rangeOf(version) === 0)) continue
    for (const [key, version] of source.versions()) {
      const number = numberOf(patterns, key)
      needed[number] = Math.max(needed[number] as number, rangeOf(version))
      if (++count % STEP === 0) yield
    }
  }
  const filling = new AreaFilling({ plans, patterns, ranges: chooseRanges(plans, needed), onMoved })
  let isDone = false
  try {
    for (const source of sources) {
      filling.expect(source.count ?? 0)
      for (const record of source.records()) {
        filling.load(record)
        if (++count % STEP === 0) yield
      }
    }
    isDone = true
    return filling
  } finally {
    if (!isDone) filling.drop()
  }
}

/** Records. */
const STEP = 16

interface AreaPlan extends Pick<AreasToFill, 'plans' | 'onMoved'> {
  readonly patterns: KeyPatterns
  readonly ranges: readonly number[]
}

/** Areas that nobody has yet: values go in, with the versions they had. */
export class AreaFilling {
  readonly areas: readonly OwnedArea[]
  readonly #patterns: KeyPatterns
  readonly #made: OwnedArea[] = []

  /** Makes the areas. */
  constructor({ plans, patterns, ranges, onMoved }: AreaPlan) {
    this.#patterns = patterns
    try {
      this.areas = plans.map((plan, number) => {
        if (plan instanceof OwnedArea) return plan
        const base = firstVersion(ranges[number] as number)
        const area = new OwnedArea({ patterns: plan.patterns, ...plan.size, base }, onMoved)
        this.#made.push(area)
        return area
      })
    } catch (error) {
      this.drop()
      throw error
    }
  }

  /** Those that were not there before. */
  get made(): readonly OwnedArea[] {
    return this.#made
  }

  /** In place of what it had of that key. @throws ERR_LIMIT it does not fit; ERR_INVALID_ARG_VALUE no area takes the key */
  load(record: StoredRecord): void {
    this.areaOf(record.key).load(record.key, record)
  }

  /** So many keys are to come. */
  expect(keys: number): void {
    const [area, another] = this.#made
    if (area !== undefined && another === undefined) area.expect(keys)
  }

  /** @throws ERR_INVALID_ARG_VALUE none takes the key */
  areaOf(key: string): OwnedArea {
    return this.areas[numberOf(this.#patterns, key)] as OwnedArea
  }

  /** They are not wanted. */
  drop(): void {
    for (const area of this.#made.splice(0)) area.close()
  }
}

/** Each version that goes into an area must be below its first one, and none may ever be given twice. */
function chooseRanges(plans: AreasToFill['plans'], needed: readonly number[]): number[] {
  const taken = plans.flatMap((plan) => (plan instanceof OwnedArea ? [rangeOf(plan.version)] : []))
  const wanted = plans.flatMap((plan, number) => (plan instanceof OwnedArea ? [] : [needed[number] as number]))
  const chosen = rangesFor(wanted, taken)
  return plans.map((plan) => (plan instanceof OwnedArea ? rangeOf(plan.version) : (chosen.shift() as number)))
}

function numberOf(patterns: KeyPatterns, key: string): number {
  const number = patterns.areaOf(key)
  if (number < 0) throw new InvalidArgValueError(`no area of this store has a pattern for the key ${key}`)
  return number
}
