/** A line of the log for people: `12:34:56.789 INFO  ready  name=AnonymousSharedMemory`. */

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}
/** SGR colours, by level; none for the usual one. */
const COLOURS: Readonly<Record<number, string>> = { 10: '2', 20: '2', 40: '33', 50: '31', 60: '31' }
/** Said in another way, or always the same. */
const LEFT_OUT = ['level', 'time', 'pid', 'msg']

/** A line as pino writes it. */
export type LogRecord = Readonly<Record<string, unknown>>

/** @param isColoured for a terminal */
export function readableLine(record: LogRecord, isColoured: boolean): string {
  const level = Number(record.level)
  const name = (LEVELS[level] ?? String(level)).padEnd(5)
  const colour = COLOURS[level]
  const shown = isColoured && colour !== undefined ? `\u001b[${colour}m${name}\u001b[0m` : name
  const fields = Object.entries(record).filter(([key]) => !LEFT_OUT.includes(key))
  const words = [
    clock(record.time),
    shown,
    plain(String(record.msg ?? '')),
    ...fields.map(([key, value]) => `${key}=${showValue(value)}`),
  ]
  return `${words.filter((word) => word !== '').join(' ')}\n`
}

function clock(time: unknown): string {
  return typeof time === 'string' ? time.replace('T', ' ').replace('Z', '') : ''
}

function showValue(value: unknown): string {
  if (isError(value)) return plain(JSON.stringify(value.message))
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) return value
  return plain(JSON.stringify(value) ?? String(value))
}

function isError(value: unknown): value is { message: string } {
  return typeof value === 'object' && value !== null && typeof (value as { message?: unknown }).message === 'string'
}

/** Peers choose some of the words, and control characters drive terminals. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
