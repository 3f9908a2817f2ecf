/** Numbers for people. */
import type { Unit } from './harness/benchmark.ts'

const SUFFIXES: Readonly<Record<Unit, string>> = {
  us: 'µs',
  ns: 'ns',
  ms: 'ms',
  'per second': '/s',
  bytes: 'B',
  count: '',
}

/** Three significant digits, as 12.3 µs or 0.512 M/s. */
export function formatFigure(number: number, unit: Unit): string {
  if (unit === 'ns' && number >= 10_000) return formatFigure(number / 1000, 'us')
  if (unit === 'us' && number >= 10_000) return formatFigure(number / 1000, 'ms')
  const [scaled, prefix] = unit === 'bytes' ? binary(number) : unit === 'per second' ? decimal(number) : [number, '']
  return `${significant(scaled)} ${prefix}${SUFFIXES[unit]}`.trimEnd()
}

/** As 1.41x; of no use where the base is 0. */
export function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? `${significant(ratio)}x` : '–'
}

function significant(number: number): string {
  const digits = number === 0 ? 0 : Math.floor(Math.log10(Math.abs(number)))
  return number.toLocaleString('en', { maximumFractionDigits: Math.min(20, Math.max(0, 2 - digits)) })
}

function decimal(number: number): [number, string] {
  if (number >= 1e6) return [number / 1e6, 'M']
  return number >= 1e3 ? [number / 1e3, 'k'] : [number, '']
}

function binary(number: number): [number, string] {
  if (Math.abs(number) >= 2 ** 20) return [number / 2 ** 20, 'Mi']
  return Math.abs(number) >= 2 ** 10 ? [number / 2 ** 10, 'Ki'] : [number, '']
}
