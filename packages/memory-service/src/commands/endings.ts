/** How every long-running command of `memsvc` handles signals, and warnings of Node and of the library. */
import type { Logger } from 'pino'
import type { PeerLog } from '../log/peer-log.ts'

const NUMBERS = { SIGTERM: 15, SIGINT: 2 }

/** The first signal ends it cleanly, the second at once. */
export function stopOnSignals(logger: Logger, stop: () => void): void {
  let isFirst = true
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!isFirst) process.exit(128 + NUMBERS[signal])
      isFirst = false
      logger.info({ signal }, 'stopping')
      stop()
    })
  }
}

/** The library reports what nobody can catch by process warnings; Node would print them as text, and wait for that. */
export function logWarnings(log: PeerLog): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => log.warn({ err: warning }, 'warning'))
}
