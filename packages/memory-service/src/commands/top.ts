/** `memsvc top`: shows what a daemon does, and updates it regularly. */
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME, InvalidArgValueError } from '@memsvc/shared'
import {
  EXIT,
  type ExitCode,
  errorText,
  MAX_SECONDS,
  plainLine,
  readDecimal,
  show as shown,
  whenReaderIsGone,
} from '@memsvc/shared/internal'
import { type ControlCommandOptions, reach, readReport } from './control.ts'
import type { Output } from './output.ts'
import { Screen } from './screen.ts'
import { bytes, describeStatus, duration, type Report, spelledOut } from './status-text.ts'

export interface TopOptions extends ControlCommandOptions {
  readonly interval?: string
  readonly count?: string
}

const STDOUT = 1

export async function top(name = DEFAULT_SERVICE_NAME, options: TopOptions, out: Output): Promise<ExitCode> {
  const seconds = readNumber('--interval', options.interval ?? '1')
  const count = options.count === undefined ? Number.POSITIVE_INFINITY : readNumber('--count', options.count)
  const leave = () => process.exit(EXIT.done)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, leave)
  whenReaderIsGone(STDOUT, leave)
  const looks = { ...options, name, seconds, count }
  if (options.json) return lookAgain(looks, (report) => out.json(report))
  // Not before there is something to show: an error of the first look stays where it can be read.
  let screen: Screen | null | undefined
  const show = (report: Report, before: Before | null) => {
    screen ??= Screen.open(leave)
    const lines = frame(report, before).map(plainLine)
    if (screen === null) out.line(lines.join('\n'))
    else screen.show(lines)
  }
  /** On a screen, wait until the daemon is back. */
  const waits = (error: unknown): boolean => {
    screen?.show([errorText(error), '', 'memsvc top tries again. Press q to leave.'])
    return screen instanceof Screen
  }
  return lookAgain(looks, show, waits)
}

interface Looks extends ControlCommandOptions {
  readonly name: string
  /** Between two of them. */
  readonly seconds: number
  readonly count: number
}

interface Before {
  readonly report: Report
  /** How long ago it was. */
  readonly seconds: number
}

/** @param show what there is; @param waits told that there was nothing: whether it is looked for again */
async function lookAgain(
  looks: Looks,
  show: (report: Report, before: Before | null) => void,
  waits: (error: unknown) => boolean = () => false,
): Promise<ExitCode> {
  let before: { report: Report; at: number } | null = null
  for (let shown = 0; shown < looks.count; shown += 1) {
    if (shown > 0) await delay(looks.seconds * 1000)
    try {
      const report = await look(looks)
      const at = performance.now()
      const isSame = before !== null && before.report.pid === report.pid
      show(report, isSame && before ? { report: before.report, seconds: (at - before.at) / 1000 } : null)
      before = { report, at }
    } catch (error) {
      if (!waits(error)) throw error
    }
  }
  return EXIT.done
}

async function look(looks: Looks): Promise<Report> {
  using daemon = await reach(looks.name, looks)
  return await readReport(daemon)
}

function frame(report: Report, before: Before | null): string[] {
  const { version, uptimeSeconds, counts } = report
  const ofUs = version === undefined ? 'memsvc' : `memsvc ${version}`
  const up = uptimeSeconds === undefined ? [] : [`up ${duration(uptimeSeconds)}`]
  const head = [ofUs, report.name, `pid ${report.pid}`, ...up].join('  ')
  if (counts === undefined) return [head, '', ...rest(report), '', "Only the daemon's user and root can see more."]
  return [head, '', ...rates(report, before), '', ...usage(report), '', ...rest(report)]
}

/** Numbers that only grow, and how fast. */
function rates(report: Report, before: Before | null): string[] {
  const rows = Object.entries(flat(report)).map(([name, total]) => {
    const then = before === null ? total : (flat(before.report)[name] ?? 0)
    const rate = before === null || before.seconds <= 0 ? '' : ((total - then) / before.seconds).toFixed(1)
    return `${spelledOut(name).padEnd(28)}${total.toLocaleString('en').padStart(14)}${rate.padStart(12)}`
  })
  return [`${'since the start'.padEnd(28)}${'total'.padStart(14)}${'per second'.padStart(12)}`, ...rows]
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
    `held now: ${held.map(([name, count]) => `${name} ${count}`).join(', ') || 'nothing'}; not read yet: ${bytes(queuedBytes)}`,
  ]
}

/** The value, the stores, who has most: as `status` says it. */
function rest(report: Report): string[] {
  const lines = describeStatus(report)
  const begin = lines.findIndex((line) => line.startsWith('store '))
  return [`value ${report.value ?? '–'}`, ...(begin < 0 ? [] : lines.slice(begin))]
}

function readNumber(option: string, text: string): number {
  const number = readDecimal(text)
  if (number > 0 && number <= MAX_SECONDS) return number
  throw new InvalidArgValueError(`${option} must be a number above 0; got ${shown(text)}`)
}
