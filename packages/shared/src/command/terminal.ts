/** The lines on stderr by which a command talks to people. Data goes to stdout, and is not handled here. */

import { writeSync } from 'node:fs'
import process from 'node:process'
import { errorCode } from '../util/errors.ts'
import { nodeTty } from '../util/late-modules.ts'
import { isError } from '../util/realm.ts'

const STDERR = 2

/** One line of text whatever a message holds: it may be a peer's, and control characters drive terminals. */
export function terminalLine(program: string, text: string): string {
  return `${program}: ${complaint(text)}`
}

/** The line for anything thrown. */
export function errorLine(program: string, error: unknown): string {
  return `${program}: ${errorText(error)}`
}

/** The same without the program. */
export function errorText(error: unknown): string {
  return complaint(isError(error) ? error.message || errorCode(error) || error.name : String(error))
}

/** A peer may have much to say; a line that nobody reads to its end says less. */
const MOST_CHARACTERS = 400

function complaint(text: string): string {
  const line = plainText(text)
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}...` : line
}

/** Without what drives terminals, in one line. */
export function plainText(text: string): string {
  return plainLine(text).trim()
}

/** The same, with the spaces that it begins and ends with. */
export function plainLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}

/** Shows a line on a terminal that replaces the previous one; '' clears it. */
export function showProgress(text: string): void {
  tellPeople(`\r${plainText(text)}\u001b[K`, '')
}

/** Whether what goes there may be coloured: a terminal that can, of somebody who wants that (no-color.org). */
export function isColoured(fd: number): boolean {
  return isDrawable(fd) && !process.env.NO_COLOR
}

/** Whether it is a terminal that knows more than the next line. */
export function isDrawable(fd: number): boolean {
  return nodeTty().isatty(fd) && process.env.TERM !== 'dumb'
}

/** If stderr does not work, only the exit code is left. */
export function tellPeople(line: string, end = '\n'): void {
  try {
    writeSync(STDERR, `${line}${end}`)
  } catch {
    // ENOSPC of /dev/full, EPIPE, EAGAIN of a full pipe that somebody made non-blocking
  }
}
