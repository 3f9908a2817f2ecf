/** Areas of a store, made with the values that are theirs from the beginning. */
import { InvalidArgValueError } from '../util/errors.ts'
import type { AreaSize } from './area-size.ts'
import { KeyPatterns } from './key-patterns.ts'
import { OwnedArea } from './owned-area.ts'
import type { RecordSource } from './stored-record.ts'
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
export function fillAreas({ plans, sources, onMoved }: AreasToFill): OwnedArea[] {
  const patterns = new KeyPatterns(plans.map(({ patterns }) => patterns))
  const made: OwnedArea[] = []
  try {
    const ranges = chooseRanges(plans, sources, patterns)
    const areas = plans.map((plan, number) => {
      if (plan instanceof OwnedArea) return plan
      const base = firstVersion(ranges[number] as number)
      const area = new OwnedArea({ patterns: plan.patterns, ...plan.size, base }, onMoved)
      made.push(area)
      return area
    })
    for (const source of sources) {
      for (const { key, ...record } of source.records()) areas[numberOf(patterns, key)]?.load(key, record)
    }
    return areas
  } catch (error) {
    for (const area of made) area.close()
    throw error
  }
}

/** Each version that goes into an area must be below its first one, and none may ever be given twice. */
function chooseRanges(plans: AreasToFill['plans'], sources: readonly RecordSource[], patterns: KeyPatterns): number[] {
  const staying = plans.filter((plan) => plan instanceof OwnedArea)
  const needed = plans.map(() => 0)
  for (const source of sources) {
    for (const version of source.lastVersions) givenUpTo(version)
    // Of an only area whose values are of the lowest range there is nothing to look for.
    if (plans.length === 1 && source.lastVersions.every((version) => rangeOf(version) === 0)) continue
    for (const [key, version] of source.versions()) {
      const number = numberOf(patterns, key)
      needed[number] = Math.max(needed[number] as number, rangeOf(version))
    }
  }
  const taken = staying.map((area) => rangeOf(area.version))
  const wanted = plans.flatMap((plan, number) => (plan instanceof OwnedArea ? [] : [needed[number] as number]))
  const chosen = rangesFor(wanted, taken)
  return plans.map((plan) => (plan instanceof OwnedArea ? rangeOf(plan.version) : (chosen.shift() as number)))
}

function numberOf(patterns: KeyPatterns, key: string): number {
  const number = patterns.areaOf(key)
  if (number < 0) throw new InvalidArgValueError(`no area of this store takes ${key}`)
  return number
}
