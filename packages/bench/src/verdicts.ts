/** The targets against a run. */
import type { Unit } from './harness/benchmark.ts'
import { ratios, type Spread, spread } from './harness/statistics.ts'
import type { BenchmarkResult, GroupResult } from './runner.ts'
import type { Operand, Target } from './targets.ts'

export interface Verdict {
  readonly target: Target
  /** Of the figure, or null where it is a ratio. */
  readonly unit: Unit | null
  /** The ratio or the figure; null where one side was not measured. */
  readonly measured: Spread | null
  readonly isMet: boolean
  /** 0.1: better than the bound by a tenth of it; negative: worse. NaN where that has no meaning. */
  readonly margin: number
}

/** The targets whose benchmark is among the results. */
export function judge(targets: readonly Target[], results: readonly BenchmarkResult[]): Verdict[] {
  return targets.flatMap((target) => {
    const result = results.find(({ name }) => name === target.benchmark)
    return result === undefined ? [] : [judgeOne(target, result)]
  })
}

function judgeOne(target: Target, { groups }: BenchmarkResult): Verdict {
  const group = groups.find(({ name }) => name === target.group)
  const numbers = group && measure(group, target)
  const unit =
    target.to === undefined ? (group?.figures.find(({ key }) => key === target.of.figure)?.unit ?? null) : null
  if (numbers === undefined) return { target, unit, measured: null, isMet: false, margin: Number.NaN }
  const measured = spread(numbers)
  return { target, unit, measured, ...compare(measured.median, target.bound) }
}

function measure(group: GroupResult, { of, to }: Target): number[] | undefined {
  const own = figures(group, of)
  if (to === undefined) return own
  const other = figures(group, to)
  return own && other && ratios(own, other)
}

/** Undefined unless there is one in each round. */
function figures(group: GroupResult, { contender, figure }: Operand): number[] | undefined {
  const numbers = group.samples[contender]?.map((sample) => sample[figure]) ?? []
  const isWhole = (list: readonly (number | undefined)[]): list is number[] => !list.includes(undefined)
  return numbers.length > 0 && isWhole(numbers) ? numbers : undefined
}

function compare(median: number, bound: Target['bound']): Pick<Verdict, 'isMet' | 'margin'> {
  if ('atLeast' in bound) return { isMet: median >= bound.atLeast, margin: median / bound.atLeast - 1 }
  return { isMet: median <= bound.atMost, margin: bound.atMost === 0 ? Number.NaN : 1 - median / bound.atMost }
}
