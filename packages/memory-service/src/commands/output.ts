/** The output of a command: data on stdout, one line at a time, and errors on stderr. */
import { bytesOf, errorLine, tellPeople, terminalLine, writeNow } from '@memsvc/shared/internal'
import { FATAL, isJournal, priorityPrefix } from '../systemd/journal.ts'

const STDOUT = 1
const STDERR = 2
/** Until a reader that is slow is tried again. */
const PAUSE_MS = 5
const NEVER = new Int32Array(new SharedArrayBuffer(4))

export class Output {
  readonly #fd: number
  readonly #place: string | undefined

  /** @param fd borrowed @param place how messages call it; stdout unless it is said */
  constructor(fd = STDOUT, place?: string) {
    this.#fd = fd
    this.#place = place
  }

  /** All of it, also where somebody has made stdout non-blocking and its reader is slow. @throws ReaderGone, ToolError */
  line(text: string): void {
    for (let rest = bytesOf(text); ; Atomics.wait(NEVER, 0, 0, PAUSE_MS)) {
      rest = writeNow(this.#fd, rest, this.#place)
      if (rest.length === 0) return
    }
  }

  json(value: object): void {
    this.line(JSON.stringify(value))
  }

  /** Prints the record with --json, otherwise the line. */
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
