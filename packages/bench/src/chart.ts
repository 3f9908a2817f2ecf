/** Bar charts as SVG: one panel per group, one bar per contender, the spread of the rounds as a line over it. */

import { formatFigure } from './format.ts'
import type { Unit } from './harness/benchmark.ts'
import type { Spread } from './harness/statistics.ts'

export interface Bar {
  readonly label: string
  readonly spread: Spread
  /** Drawn in colour. */
  readonly isOwn: boolean
}

export interface Panel {
  readonly heading: string
  readonly unit: Unit
  readonly bars: readonly Bar[]
}

const WIDTH = 760
const LABEL_WIDTH = 220
const BAR_WIDTH = 400
const ROW_HEIGHT = 24
const HEADING_HEIGHT = 34
const MARGIN = 12
const [OWN, OTHER, INK] = ['#2f6fdb', '#b3bcc8', '#24292f']
/** Panels whose bars differ by more than this get a logarithmic scale. */
const MAX_LINEAR = 20

export function barChart(title: string, panels: readonly Panel[]): string {
  const heights = panels.map(({ bars }) => HEADING_HEIGHT + bars.length * ROW_HEIGHT)
  const height = heights.reduce((sum, one) => sum + one, 2 * MARGIN)
  const tops = heights.map((_, i) => heights.slice(0, i).reduce((sum, one) => sum + one, MARGIN))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13" fill="${INK}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" rx="6" fill="#ffffff"/>`,
    ...panels.flatMap((panel, i) => drawPanel(panel, tops[i] as number)),
    '</svg>',
    '',
  ].join('\n')
}

function drawPanel({ heading, unit, bars }: Panel, top: number): string[] {
  const { scale, isLogarithmic } = makeScale(bars)
  const direction = unit === 'per second' ? 'more is better' : 'less is better'
  const note = isLogarithmic ? `${direction}, logarithmic` : direction
  return [
    `<text x="${MARGIN}" y="${top + 20}" font-weight="bold">${escapeXml(heading)}<tspan dx="6" font-weight="normal" fill="#6a737d">(${note})</tspan></text>`,
    ...bars.flatMap((bar, i) => drawBar(bar, unit, scale, top + HEADING_HEIGHT + i * ROW_HEIGHT)),
  ]
}

type Scale = (number: number) => number

/** From a figure to a length. A logarithmic one begins at half of the smallest. */
function makeScale(bars: readonly Bar[]): { scale: Scale; isLogarithmic: boolean } {
  const smallest = Math.min(...bars.map(({ spread }) => spread.min))
  const largest = Math.max(...bars.map(({ spread }) => spread.max))
  const isLogarithmic = smallest > 0 && largest > smallest * MAX_LINEAR
  const start = smallest / 2
  const scale = isLogarithmic
    ? (number: number) => (BAR_WIDTH * Math.log(number / start)) / Math.log(largest / start)
    : (number: number) => (BAR_WIDTH * Math.max(0, number)) / (largest || 1)
  return { scale, isLogarithmic }
}

function drawBar({ label, spread, isOwn }: Bar, unit: Unit, scale: Scale, top: number): string[] {
  const [left, middle] = [LABEL_WIDTH + MARGIN, top + ROW_HEIGHT / 2]
  const round = (number: number) => number.toFixed(1)
  const [end, first, last] = [spread.median, spread.min, spread.max].map((number) => left + scale(number)) as [
    number,
    number,
    number,
  ]
  const weight = isOwn ? ' font-weight="bold"' : ''
  return [
    `<text x="${left - 8}" y="${middle + 4}" text-anchor="end"${weight}>${escapeXml(label)}</text>`,
    `<rect x="${left}" y="${top + 3}" width="${round(end - left)}" height="${ROW_HEIGHT - 6}" fill="${isOwn ? OWN : OTHER}"/>`,
    `<path d="M${round(first)} ${middle}H${round(last)}" stroke="${INK}"/>`,
    `<text x="${round(Math.max(end, last) + 6)}" y="${middle + 4}">${formatFigure(spread.median, unit)}</text>`,
  ]
}

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
}
