/** Turns what libraries write to the console into records of the log. */
import { format } from 'node:util'
import type { Logger } from 'pino'

const METHODS = ['error', 'warn', 'log', 'info'] as const

/**
 * Sends it to the log, at the level `debug`, so that each line of the log is a record. lmdb writes every error that it also throws there,
 * with its stack, again each second while a disk is full. The error itself is logged where it is caught.
 */
export function logConsole(logger: Logger): void {
  for (const method of METHODS) {
    console[method] = (...said: unknown[]) => logger.debug({ said: format(...said) }, 'a library wrote to the console')
  }
}
