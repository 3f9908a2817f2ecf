/** The options of the commands: those of all, and those of some. */
import type { RegistryOptions } from '@memsvc/shared/internal'

/** As they stand on a command line. */
export interface Options extends RegistryOptions {
  readonly json?: boolean
  readonly timeout?: string
  /** The name of the store. */
  readonly store?: string
  readonly output?: string
  readonly file?: string
  readonly bytes?: boolean
  readonly ifVersion?: string
  readonly ttl?: string
  /** How old a copy may be. */
  readonly maxAge?: string
  readonly count?: string
  readonly until?: string
  /** Options of the window. */
  readonly port?: string
  readonly open?: boolean
  /** `--no-start`: false */
  readonly start?: boolean
  /** Seconds; empty: as long as it takes. */
  readonly wait?: string
}
