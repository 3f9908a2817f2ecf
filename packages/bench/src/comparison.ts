/** Two checkouts of one run, figure by figure. */

import { formatFigure, formatRatio } from './format.ts'
import type { Unit } from './harness/benchmark.ts'
import { median, ratios, type Spread, spread } from './harness/statistics.ts'
import { formatSpread, numbersOf, table } from './report.ts'
import type { BenchmarkResult, GroupResult } from './runner.ts'

export interface Change {
  readonly work: string
  readonly unit: Unit
  readonly before: number
  readonly after: number
  /** after / before */
  readonly ratio: Spread
  readonly outcome: 'slower' | 'faster' | 'same'
}

/** Less is noise. */
const THRESHOLD = 0.05

/** Of each group that both took part in, the first figure. */
export function findChanges(results: readonly BenchmarkResult[], before: string, after: string): Change[] {
  return results.flatMap(({ name, groups }) =>
    groups.flatMap((group) => findChange(`${name}: ${group.name}`, group, before, after)),
  )
}

function findChange(work: string, group: GroupResult, before: string, after: string): Change[] {
  const [figure] = group.figures
  if (figure === undefined) return []
  const [numbersBefore, numbersAfter] = [numbersOf(group, before, figure.key), numbersOf(group, after, figure.key)]
  if (numbersBefore.length === 0 || numbersAfter.length === 0) return []
  const ratio = spread(ratios(numbersAfter, numbersBefore))
  const outcome = judge(ratio, figure.unit === 'per second')
  return [{ work, unit: figure.unit, before: median(numbersBefore), after: median(numbersAfter), ratio, outcome }]
}

/** A change is one that every round shows. */
function judge({ median, min, max }: Spread, isMoreBetter: boolean): Change['outcome'] {
  const isGrown = median > 1 + THRESHOLD && min > 1
  const isShrunk = median < 1 - THRESHOLD && max < 1
  if (!isGrown && !isShrunk) return 'same'
  return isGrown === isMoreBetter ? 'faster' : 'slower'
}

export function comparisonTable(changes: readonly Change[], before: string, after: string): string {
  const rows = changes.map(({ work, unit, before, after, ratio, outcome }) => [
    work,
    formatFigure(before, unit),
    formatFigure(after, unit),
    formatSpread(ratio, formatRatio),
    outcome === 'same' ? outcome : `**${outcome}**`,
  ])
  return table(['', before, after, 'after / before', ''], rows)
}
