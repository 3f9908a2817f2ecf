/** What a command is given. It knows nothing of the process it runs in. */
import type { Deadline, ExitCode, RegistryChoice } from '@memsvc/shared/internal'
import type { Options } from './options.ts'
import type { Print } from './output.ts'

export interface Context {
  /** The registry that the options name; otherwise the environment decides. */
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
  /** Shows the progress of a transfer on one line; '' clears it. null if nobody watches. */
  readonly showProgress: ((text: string) => void) | null
  /**
   * For a command that runs until it is interrupted: from now on SIGINT, SIGTERM and the end of stdout's reader are its
   * normal end.
   * @returns the function that it prints with from now on
   */
  readonly untilInterrupted: () => Print
  /** Imports the window's package, if it is installed. */
  readonly importWindow: () => Promise<typeof import('@memsvc/ui')>
}

/** Carries out a command. Throws what {@link exitCodeOf} understands; operands are as many as its entry says. */
export type Command = (context: Context, ...operands: string[]) => Promise<ExitCode>
