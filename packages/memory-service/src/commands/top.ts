/** `memsvc top`: what a daemon does, looked at again and again. */
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME, InvalidArgValueError } from '@memsvc/shared'
import { EXIT, type ExitCode, show, whenReaderIsGone } from '@memsvc/shared/internal'
import { type ControlCommandOptions, reach, readReport } from './control.ts'
import type { Output } from './output.ts'
import { bytes, describeStatus, duration, type Report } from './status-text.ts'

export interface TopOptions extends ControlCommandOptions {
  readonly interval?: string
  readonly count?: string
}

const STDOUT = 1
/** Where stdout is a terminal: to its top, and all of it away. CSI of ECMA-48. */
const CLEAR = '\u001b[H\u001b[2J'
const NUMBER = /^\d+(\.\d+)?$/
/** What a timer of Node takes, in seconds. */
const LONGEST = 2_147_483

export async function top(name = DEFAULT_SERVICE_NAME, options: TopOptions, out: Output): Promise<ExitCode> {
  const seconds = readNumber('--interval', options.interval ?? '1')
  const count = options.count === undefined ? Number.POSITIVE_INFINITY : readNumber('--count', options.count)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(EXIT.done))
  whenReaderIsGone(STDOUT, () => process.exit(EXIT.done))
  let before: { report: Report; at: number } | null = null
  for (let shown = 0; shown < count; shown += 1) {
    if (shown > 0) await delay(seconds * 1000)
    using daemon = await reach(name, options)
    const report = await readReport(daemon)
    const at = performance.now()
    if (options.json) out.json(report)
    else out.line(frame(report, before === null ? null : { report: before.report, seconds: (at - before.at) / 1000 }))
    before = { report, at }
  }
  return EXIT.done
}

function frame(report: Report, before: { report: Report; seconds: number } | null): string {
  const head = `memsvc ${report.version ?? ''}  ${report.name}  pid ${report.pid}  up ${duration(report.uptimeSeconds ?? 0)}`
  const lines = [head, '', ...rates(report, before), '', ...usage(report), '', ...rest(report)]
  return (process.stdout.isTTY ? CLEAR : '') + lines.join('\n')
}

/** Numbers that only grow, and how fast. */
function rates(report: Report, before: { report: Report; seconds: number } | null): string[] {
  const rows = Object.entries(flat(report)).map(([name, total]) => {
    const then = before === null ? total : (flat(before.report)[name] ?? 0)
    const rate = before === null || before.seconds <= 0 ? '' : ((total - then) / before.seconds).toFixed(1)
    return `${name.padEnd(28)}${total.toLocaleString('en').padStart(14)}${rate.padStart(12)}`
  })
  return [`${'since it was started'.padEnd(28)}${'total'.padStart(14)}${'per second'.padStart(12)}`, ...rows]
}

function flat({ counts = {} }: Report): Record<string, number> {
  const entries = Object.entries(counts).flatMap(([name, count]): [string, number][] =>
    typeof count === 'number'
      ? [[name, count]]
      : Object.entries(count).map(([reason, each]): [string, number] => [`refused: ${reason}`, each]),
  )
  return Object.fromEntries(entries)
}

function usage({ used = {}, queuedBytes = 0 }: Report): string[] {
  const held = Object.entries(used).filter(([, count]) => count > 0)
  return [
    `held now: ${held.map(([name, count]) => `${name} ${count}`).join(', ') || 'nothing'}; unread ${bytes(queuedBytes)}`,
  ]
}

/** The value, the stores, who has most: as `status` says it. */
function rest(report: Report): string[] {
  const lines = describeStatus(report)
  const begin = lines.findIndex((line) => line.startsWith('store '))
  return [`value ${report.value ?? '–'}`, ...(begin < 0 ? [] : lines.slice(begin))]
}

function readNumber(option: string, text: string): number {
  const number = NUMBER.test(text) ? Number(text) : 0
  if (number > 0 && number <= LONGEST) return number
  throw new InvalidArgValueError(`${option} must be a number above 0; got ${show(text)}`)
}
