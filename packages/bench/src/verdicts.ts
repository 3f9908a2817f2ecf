/** The targets against a run. */
import type { BenchmarkResult, GroupResult } from './runner.ts'
import { ratios, type Spread, spread } from './statistics.ts'
import type { Operand, Target } from './targets.ts'

export interface Verdict {
  readonly target: Target
  /** Null where one side was not measured. */
  readonly ratio: Spread | null
  readonly isMet: boolean
  /** 0.1: better than the bound by a tenth of it; negative: worse. */
  readonly margin: number
}

/** The targets whose benchmark is among the results. */
export function judge(targets: readonly Target[], results: readonly BenchmarkResult[]): Verdict[] {
  return targets.flatMap((target) => {
    const result = results.find(({ name }) => name === target.benchmark)
    return result === undefined ? [] : [judgeOne(target, result)]
  })
}

function judgeOne(target: Target, result: BenchmarkResult): Verdict {
  const group = result.groups.find(({ name }) => name === target.group)
  const of = group && figures(group, target.of)
  const to = group && figures(group, target.to)
  if (of === undefined || to === undefined) return { target, ratio: null, isMet: false, margin: Number.NaN }
  const ratio = spread(ratios(of, to))
  const { bound } = target
  const margin = 'atMost' in bound ? 1 - ratio.median / bound.atMost : ratio.median / bound.atLeast - 1
  return { target, ratio, isMet: margin >= 0, margin }
}

function figures(group: GroupResult, { contender, figure }: Operand): number[] | undefined {
  const numbers = group.samples[contender]?.map((sample) => sample[figure])
  return numbers?.every((number) => number !== undefined) ? numbers : undefined
}
