/**
 * The daemon's log: JSON lines on stderr, by pino. A log that cannot be written must not stop the daemon: lines that find
 * no room are dropped and counted.
 */
import { type Logger, pino } from 'pino'

/** Bytes of log that wait for a slow reader of stderr before lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024

export interface DaemonLog {
  readonly logger: Logger
  /** Lines that were dropped so far. */
  dropped(): number
  /** Writes what waits and closes, before the process ends; a reader who takes too long does not hold it up. */
  close(): Promise<void>
}

/** Milliseconds that the end of the process waits for a reader of the log. */
const CLOSE_TIMEOUT_MS = 500

export function openLog(level: string): DaemonLog {
  const destination = pino.destination({ dest: 2, sync: false, maxLength: MAX_WAITING_BYTES })
  let dropped = 0
  destination.on('drop', () => {
    dropped += 1
  })
  destination.on('error', () => {
    dropped += 1
  })
  return {
    logger: pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, destination),
    dropped: () => dropped,
    close: () =>
      new Promise((resolve) => {
        destination.once('close', resolve)
        setTimeout(resolve, CLOSE_TIMEOUT_MS).unref()
        destination.end()
      }),
  }
}
