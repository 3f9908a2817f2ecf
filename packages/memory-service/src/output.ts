/** Where a command speaks: data on stdout, one line at a time, what went wrong on stderr. */
import { writeSync } from 'node:fs'
import { errorCode } from '@memsvc/shared'
import { FATAL, isJournal, priorityPrefix } from './systemd/journal.ts'

const STDOUT = 1
const STDERR = 2

export class Output {
  /** A reader that goes away ends the program silently. */
  line(text: string): void {
    try {
      writeSync(STDOUT, `${text}\n`)
    } catch (error) {
      if (errorCode(error) !== 'EPIPE') throw error
      process.exit(0)
    }
  }

  json(value: object): void {
    this.line(JSON.stringify(value))
  }
}

/** In one line, whatever a registry wrote into it. Where nobody can be told, the exit status still says it. */
export function complain(error: unknown): void {
  const message = error instanceof Error ? error.message || errorCode(error) || error.name : String(error)
  tell(message, isJournal(process.env, STDERR) ? priorityPrefix(FATAL) : '')
}

/** A line for people. */
export function tell(message: string, prefix = ''): void {
  try {
    writeSync(STDERR, `${prefix}memsvc: ${message.replace(/\p{Cc}+/gu, ' ').trim()}\n`)
  } catch {
    // ENOSPC of /dev/full, EPIPE, EAGAIN of a full pipe that somebody made non-blocking
  }
}
