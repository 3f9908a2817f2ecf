/** The report of a run, in Markdown. */
import type { Figure } from './benchmark.ts'
import { formatFigure, formatRatio } from './format.ts'
import type { Machine } from './machine.ts'
import type { BenchmarkResult, GroupResult } from './runner.ts'
import { median, ratios, type Spread, spread } from './statistics.ts'
import type { Verdict } from './verdicts.ts'

export interface Run {
  readonly machine: Machine
  readonly rounds: number
  readonly milliseconds: number
  readonly results: readonly BenchmarkResult[]
}

const NOTHING = '–'

export function benchmarkSection({ title, about, name, groups }: BenchmarkResult): string {
  return [`## ${title}`, `${about}\n\n\`npm run bench -- ${name}\``, ...groups.map(groupSection)].join('\n\n')
}

export function targetTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ target, ratio, isMet, margin }) => [
    target.id,
    target.claim,
    'atMost' in target.bound ? `≤ ${target.bound.atMost}x` : `≥ ${target.bound.atLeast}x`,
    ratio === null ? NOTHING : formatSpread(ratio),
    ratio === null ? 'not measured' : `${isMet ? 'met' : '**not met**'}, ${formatMargin(margin)}`,
  ])
  return table(['#', 'work', 'target', 'median ratio (min–max)', ''], rows)
}

function groupSection(group: GroupResult): string {
  const { name, figures, samples, absent } = group
  const head = [
    '',
    ...figures.flatMap(({ key, isAbsolute }) => [key, ...(isAbsolute ? [] : [`against ${group.base}`])]),
  ]
  const rows = Object.keys(samples).map((contender) => [
    contender,
    ...figures.flatMap((figure) => cells(group, contender, figure)),
  ])
  const missing = Object.entries(absent).map(([contender, reason]) => `\n\n*Absent:* ${contender}: ${reason.trim()}`)
  return `### ${name}\n\n${table(head, rows)}${missing.join('')}`
}

function cells(group: GroupResult, contender: string, { key, unit, isAbsolute }: Figure): string[] {
  const own = numbersOf(group, contender, key)
  const base = numbersOf(group, group.base, key)
  const figure = own.length === 0 ? NOTHING : formatFigure(median(own), unit)
  if (isAbsolute) return [figure]
  return [figure, own.length === 0 || base.length === 0 ? NOTHING : formatSpread(spread(ratios(own, base)))]
}

export function numbersOf(group: GroupResult, contender: string, key: string): number[] {
  return (group.samples[contender] ?? []).map((sample) => sample[key]).filter((number) => number !== undefined)
}

function formatSpread({ median, min, max }: Spread): string {
  return `${formatRatio(median)} (${formatRatio(min)}–${formatRatio(max)})`
}

function formatMargin(margin: number): string {
  return `by ${Math.abs(margin * 100).toFixed(0)} %`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
