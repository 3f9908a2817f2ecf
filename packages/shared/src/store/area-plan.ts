/** Makes the areas of a store, with the values that they begin with. */
import { InvalidArgValueError } from '../util/errors.ts'
import type { AreaSize } from './area-size.ts'
import { KeyPatterns } from './key-patterns.ts'
import { OwnedArea } from './owned-area.ts'
import type { RecordSource, StoredRecord } from './stored-record.ts'
import { farVersions, givenUpTo, isPlain, plainVersions } from './versions.ts'

export interface PlannedArea {
  readonly patterns: readonly string[]
  readonly size: AreaSize
}

export interface AreasToFill {
  /** In their order; an existing area stays unchanged. */
  readonly plans: readonly (PlannedArea | OwnedArea)[]
  readonly sources: readonly RecordSource[]
  readonly onMoved: () => void
}

/** @throws ERR_LIMIT a value does not fit; ERR_INVALID_ARG_VALUE no area takes a key; errors of memfd_create(2), fallocate(2), mmap(2) */
export function fillAreas(toFill: AreasToFill): readonly OwnedArea[] {
  const steps = fillInSteps(toFill)
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value.areas
}

/** Like `fillAreas`, some records in each step. If it is stopped before the end, the new areas are dropped. */
export function* fillInSteps({ plans, sources, onMoved }: AreasToFill): Generator<void, AreaFilling> {
  const patterns = new KeyPatterns(plans.map(({ patterns }) => patterns))
  const given = sources.flatMap(({ lastVersions }) => lastVersions)
  for (const version of given) givenUpTo(version)
  const filling = new AreaFilling({ plans, patterns, mayBePlain: given.every(isPlain), onMoved })
  let count = 0
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
  /** All that goes into them has versions that JSON can say. */
  readonly mayBePlain: boolean
}

/** Areas that nobody has yet: values go in, with the versions they had. */
export class AreaFilling {
  readonly areas: readonly OwnedArea[]
  readonly #patterns: KeyPatterns
  readonly #made: OwnedArea[] = []

  /** Makes the areas. */
  constructor({ plans, patterns, mayBePlain, onMoved }: AreaPlan) {
    this.#patterns = patterns
    let isNextPlain = mayBePlain && !plans.some((plan) => plan instanceof OwnedArea && isPlain(plan.version))
    try {
      this.areas = plans.map((plan) => {
        if (plan instanceof OwnedArea) return plan
        const versions = isNextPlain ? plainVersions() : farVersions()
        isNextPlain = false
        const area = new OwnedArea({ patterns: plan.patterns, ...plan.size, versions }, onMoved)
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

function numberOf(patterns: KeyPatterns, key: string): number {
  const number = patterns.areaOf(key)
  if (number < 0) throw new InvalidArgValueError(`no area of this store has a pattern for the key ${key}`)
  return number
}
