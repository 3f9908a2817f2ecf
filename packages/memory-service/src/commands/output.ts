/** Where a command speaks: data on stdout, one line at a time, what went wrong on stderr. */
import { writeSync } from 'node:fs'
import { errorCode } from '@memsvc/shared'
import { errorLine, tellPeople, terminalLine } from '@memsvc/shared/internal'
import { FATAL, isJournal, priorityPrefix } from '../systemd/journal.ts'

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

  /** The record for a program that asked for --json, the line for everybody else. */
  answer(record: object, line: string, { json }: { json?: boolean | undefined }): void {
    if (json === true) this.json(record)
    else this.line(line)
  }
}

/** What went wrong. */
export function complain(error: unknown): void {
  tellPeople((isJournal(process.env, STDERR) ? priorityPrefix(FATAL) : '') + errorLine('memsvc', error))
}

/** A line for people. */
export function tell(message: string): void {
  tellPeople(terminalLine('memsvc', message))
}
