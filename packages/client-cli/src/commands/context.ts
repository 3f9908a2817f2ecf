/** What a command is given. It knows nothing of the process it runs in. */
import type { Deadline, ExitCode, RegistryChoice } from '@memsvc/shared/internal'
import type { Options } from './options.ts'
import type { Print } from './output.ts'

export interface Context {
  /** Which registry was asked for; what was not said goes by the environment. */
  readonly registry: RegistryChoice
  /** `--json`: every line of data is one object. */
  readonly json: boolean
  /** The others. */
  readonly options: Options
  /** For all waits of the command together, until it has begun to print; of long transfers for each step. */
  readonly deadline: Deadline
  /** Data, to stdout. */
  readonly print: Print
  /** A line for people, to stderr. */
  readonly tell: (line: string) => void
  /** Shows how far a transfer is, in place of what was shown before; '' nothing. Null: nobody watches. */
  readonly showProgress: ((text: string) => void) | null
  /**
   * For a command that goes on until it is interrupted: from now on SIGINT and SIGTERM are its regular end, and that nobody reads
   * stdout any more, at once where that can be known.
   * @returns what it prints with from here on
   */
  readonly untilInterrupted: () => Print
}

/** Carries out a command. Throws what {@link exitCodeOf} understands; operands are as many as its entry says. */
export type Command = (context: Context, ...operands: string[]) => Promise<ExitCode>
