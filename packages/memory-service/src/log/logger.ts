/**
 * The daemon's log: JSON lines on stderr, by pino. The daemon never waits for the reader. A line that cannot be written
 * at once is dropped and counted, and the count follows the next line that is written.
 */
import { constants as fs, fstatSync, writeSync } from 'node:fs'
import { isColoured } from '@memsvc/shared/internal'
import { constants, lseek, type OwnedFd, reopen, sendmsg } from 'memfd-native'
import { type Logger, pino } from 'pino'
import { isJournal, priorityOf, priorityPrefix } from '../systemd/journal.ts'
import { JournalSocket } from '../systemd/journal-socket.ts'
import type { LogFormat, LogSettings } from './log-settings.ts'
import { PeerLog } from './peer-log.ts'
import { type LogRecord, readableLine } from './readable-line.ts'

const STDERR = 2

export class DaemonLog implements LogSettings {
  readonly logger: Logger
  /** For what others make this daemon say. */
  readonly peers: PeerLog
  readonly #sink: Sink
  /** The rest of a line that was written in part. It must be written before anything else. */
  #rest: Uint8Array = new Uint8Array(0)
  #dropped = 0
  #isDropping = false
  /** May be changed at any time, as `level`. */
  format: LogFormat
  readonly #isColoured: boolean
  readonly #isJournal: boolean
  /** The socket on which the journal accepts lines with fields. */
  #journal: JournalSocket | null

  /**
   * @param fd where the lines are written; it stays the caller's
   * @param journal the path of the journal's socket
   */
  constructor(
    level: string,
    { fd = STDERR, format = 'json', journal }: { fd?: number; format?: LogFormat; journal?: string } = {},
  ) {
    this.#sink = openSink(fd)
    this.format = format
    this.#isColoured = isColoured(fd)
    this.#isJournal = isJournal(process.env, fd)
    this.#journal = this.#isJournal ? JournalSocket.tryOpen(journal) : null
    const options = { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }
    const destination = {
      [pino.symbols.needsMetadataGsym]: true,
      lastLevel: 0, // pino sets it before each line
      write: (line: string) => this.#say(line, destination.lastLevel),
    }
    this.logger = pino(options, destination)
    this.peers = new PeerLog(this.logger)
  }

  /** The least that is said: one of pino's, or `silent`. */
  get level(): string {
    return this.logger.level
  }

  set level(level: string) {
    this.logger.level = level
  }

  /** Lines that were dropped so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** The last thing to be called: a line after it is dropped. Idempotent. */
  close(): void {
    this.peers.close()
    this.#sink.close()
    this.#journal?.close()
    this.#journal = null
  }

  /** @param line as pino has written it */
  #say(line: string, level: number): void {
    if (this.format === 'json' && this.#journal === null) {
      this.#take(this.#isJournal ? priorityPrefix(level) + line : line)
      return
    }
    const record = JSON.parse(line) as LogRecord
    const text = this.format === 'json' ? line : readableLine(record, this.#isColoured)
    if (!this.#tellJournal(text, record, level)) this.#take((this.#isJournal ? priorityPrefix(level) : '') + text)
  }

  #tellJournal(text: string, record: LogRecord, level: number): boolean {
    if (this.#journal === null) return false
    try {
      this.#journal.send({ message: text.trimEnd(), priority: priorityOf(level), record })
      return true
    } catch {
      return false // it takes the line without fields, or that is dropped
    }
  }

  #take(line: string): void {
    if (!this.#flush() || !this.#write(Buffer.from(line))) {
      this.#dropped += 1
      this.#isDropping = true
    } else if (this.#isDropping) {
      this.#isDropping = false
      this.logger.warn({ dropped: this.#dropped }, 'log lines were dropped')
    }
  }

  #flush(): boolean {
    return this.#rest.length === 0 || (this.#write(this.#rest) && this.#rest.length === 0)
  }

  /** Whether at least the beginning was taken. */
  #write(bytes: Uint8Array): boolean {
    try {
      this.#rest = bytes.subarray(this.#sink.write(bytes))
      return true
    } catch {
      return false
    }
  }
}

interface Sink {
  /** How many bytes were taken, without waiting. @throws EAGAIN, ENOSPC, EPIPE, ... */
  write(bytes: Uint8Array): number
  close(): void
}

/**
 * O_NONBLOCK belongs to the open file, which the shell and other programs share, so memsvc must not set it. For a
 * socket, each write says that it does not wait. A pipe or a terminal is opened again. Writing to a file does not wait,
 * but its position is shared too and must stay at the end, so that other output of this process follows the log instead
 * of overwriting it.
 */
function openSink(fd: number): Sink {
  const status = fstatSync(fd)
  if (status.isSocket()) {
    return { write: (bytes) => sendmsg(fd, bytes, [], constants.MSG_DONTWAIT), close: () => undefined }
  }
  if (status.isFile()) return { write: (bytes) => append(fd, bytes), close: () => undefined }
  const own = tryReopen(fd)
  return { write: (bytes) => writeSync(own?.fd ?? fd, bytes), close: () => own?.close() }
}

function append(fd: number, bytes: Uint8Array): number {
  lseek(fd, 0, constants.SEEK_END)
  return writeSync(fd, bytes)
}

/** null if it belongs to another user (open(2): EACCES). Then it is used as it is, and writing may wait. */
function tryReopen(fd: number): OwnedFd | null {
  try {
    return reopen(fd, fs.O_WRONLY | fs.O_NONBLOCK | fs.O_NOCTTY)
  } catch {
    return null
  }
}
