/** The status of a daemon for people: a line for each fact, then tables. */
import { plainLine } from '@memsvc/shared/internal'

export interface Use {
  readonly used: number
  readonly limit: number
}

/** As `memsvc status --json` prints it. A stranger gets less, and an older daemon has less. */
export interface Report {
  readonly registry: string
  readonly value?: number | null
  readonly valueChangedAt?: string | null
  readonly version?: string
  readonly startedAt?: string
  readonly uptimeSeconds?: number
  readonly configuration?: string | null
  readonly used?: Readonly<Record<string, number>>
  readonly counts?: Readonly<Record<string, number | Readonly<Record<string, number>>>>
  readonly queuedBytes?: number
  readonly stores?: readonly StoreLine[]
  readonly users?: readonly UserLine[]
  readonly peers?: readonly (UserLine & { readonly pid: number; readonly queuedBytes: number })[]
  readonly [key: string]: unknown
}

interface StoreLine {
  readonly name: string
  readonly keys: number
  readonly valueBytes: number
  readonly usedBytes: number
  readonly capacity: number
  readonly areas: number
  readonly watchers: number
  readonly activity?: { readonly changedAt: number }
  /** Of the state folder; null: there is none. */
  readonly state?: { readonly pending: number; readonly failing: boolean } | null
}

interface UserLine {
  readonly uid: number
  readonly used: Readonly<Record<string, Use>>
}

/** Shown in another way, below. */
const TABLES = [
  'used',
  'regions',
  'stores',
  'users',
  'peers',
  'counts',
  'log',
  'uptimeSeconds',
  'valueChangedAt',
  'startedAt',
]

/**
 * Any service may say that it is a daemon: for people its words are without control characters.
 * @param json as one JSON object
 */
export function statusText(report: Report, json = false): string {
  return json ? JSON.stringify(report) : describeStatus(report).map(plainLine).join('\n')
}

export function describeStatus(report: Report, now = Date.now()): string[] {
  const facts = Object.entries(report).filter(([key, value]) => !TABLES.includes(key) && value !== undefined)
  return [
    ...facts.flatMap(([key, value]) => [
      `${spelledOut(key)}: ${showValue(key, value)}`,
      ...(key === 'value' ? sinceLine(report, now) : []),
    ]),
    ...startLine(report),
    ...regionLines(report),
    ...storeLines(report, now),
    ...useLines('limits that each user has used', report.users ?? [], ({ uid }) => `uid ${uid}`),
    ...useLines(
      'limits that each peer has used',
      report.peers ?? [],
      ({ pid, uid, queuedBytes }) =>
        `pid ${pid === 0 ? '?' : pid}, uid ${uid}${queuedBytes > 0 ? `, ${bytes(queuedBytes)} not read yet` : ''}`,
    ),
  ]
}

/** How long: `3 min`, `2 h 10 min`, `5 d 3 h`. */
export function duration(seconds: number): string {
  const units = [
    { name: 'd', size: 86_400 },
    { name: 'h', size: 3600 },
    { name: 'min', size: 60 },
    { name: 's', size: 1 },
  ]
  const first = units.findIndex(({ size }) => seconds >= size)
  if (first < 0) return '0 s'
  let rest = Math.floor(seconds)
  const shown = units.slice(first, first + 2).map(({ name, size }) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count} ${name}`
  })
  return shown.filter((text) => text !== '').join(' ')
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`
  const kib = count / 1024
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`
}

/** `queuedBytes` as `queued bytes`. */
export function spelledOut(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function showValue(key: string, value: unknown): string {
  if (key === 'configuration' && value === null) return 'none: every user may find and read'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function sinceLine({ valueChangedAt }: Report, now: number): string[] {
  if (valueChangedAt === undefined || valueChangedAt === null) return []
  return [`value since: ${valueChangedAt} (${ago(Date.parse(valueChangedAt), now)})`]
}

function startLine({ startedAt, uptimeSeconds }: Report): string[] {
  return startedAt === undefined ? [] : [`uptime: ${duration(uptimeSeconds ?? 0)}, since ${startedAt}`]
}

function ago(time: number, now: number): string {
  return `${duration(Math.max(0, (now - time) / 1000))} ago`
}

function regionLines({ regions }: Report): string[] {
  const facts = (each: object) => Object.entries(each).map(([name, value]) => `${name} ${value}`)
  return Array.isArray(regions) ? regions.map((each) => `region: ${facts(each).join(', ')}`) : []
}

function storeLines({ stores = [] }: Report, now: number): string[] {
  return stores.map(({ name, keys, valueBytes, usedBytes, capacity, areas, watchers, activity, state = null }) => {
    const since = activity === undefined ? '' : `, last change ${ago(activity.changedAt, now)}`
    const size = `${bytes(valueBytes)} of values, ${bytes(usedBytes)} of ${bytes(capacity)} used`
    return `store ${name}: ${count(keys, 'key')}, ${size}, ${count(areas, 'area')}, ${count(watchers, 'watcher')}${since}${diskPart(state)}`
  })
}

function diskPart(state: NonNullable<StoreLine['state']> | null): string {
  if (state === null) return ''
  const { pending, failing } = state
  if (failing) return `, the state folder cannot be written: ${count(pending, 'change')} not on disk`
  return pending === 0 ? ', all on disk' : `, ${count(pending, 'change')} not on disk yet`
}

function useLines<T extends UserLine>(title: string, lines: readonly T[], who: (line: T) => string): string[] {
  const shown = lines.filter(({ used }) => Object.keys(used).length > 0)
  if (shown.length === 0) return []
  return [`${title}:`, ...shown.map((line) => `  ${who(line)}: ${uses(line.used)}`)]
}

function uses(used: Readonly<Record<string, Use>>): string {
  return Object.entries(used)
    .sort(([, a], [, b]) => b.used / b.limit - a.used / a.limit)
    .map(([resource, { used: now, limit }]) => `${resource} ${now} of ${limit}`)
    .join(', ')
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
