/** The settings of the log that may change while the daemon runs. */
import { InvalidArgValueError } from '@memsvc/shared'
import { show } from '@memsvc/shared/internal'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** `json`: an object a line, for programs. `text`: for people. */
export const LOG_FORMATS = ['json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Of a log that runs. */
export interface LogSettings {
  level: string
  format: LogFormat
}

/** Null: it is not to be changed. @throws ERR_INVALID_ARG_VALUE there is none of that name */
export function checkLogSettings(level: string | null, format: string | null): void {
  checkOneOf('level', level, LOG_LEVELS)
  checkOneOf('format', format, LOG_FORMATS)
}

function checkOneOf(what: string, given: string | null, known: readonly string[]): void {
  if (given === null || known.includes(given)) return
  throw new InvalidArgValueError(`the log's ${what} must be one of ${known.join(', ')}; got ${show(given)}`)
}
