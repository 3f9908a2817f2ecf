/** What a command tells people: one line on stderr. Data goes to stdout, and is nothing here. */
import { writeSync } from 'node:fs'
import { errorCode } from '../util/errors.ts'

const STDERR = 2

/** One line of text whatever a message holds: it may be a peer's, and control characters drive terminals. */
export function terminalLine(program: string, text: string): string {
  return `${program}: ${text.replace(/\p{Cc}+/gu, ' ').trim()}`
}

/** The line for anything thrown. */
export function errorLine(program: string, error: unknown): string {
  return terminalLine(program, error instanceof Error ? error.message || errorCode(error) || error.name : String(error))
}

/** Where nobody can be told there is nowhere left to say so; the exit code does. */
export function tellPeople(line: string): void {
  try {
    writeSync(STDERR, `${line}\n`)
  } catch {
    // ENOSPC of /dev/full, EPIPE, EAGAIN of a full pipe that somebody made non-blocking
  }
}
