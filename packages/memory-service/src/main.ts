/** Turns arguments into an exit code. No other file ends the process. */
import {
  EXIT,
  type ExitCode,
  errorObject,
  exitCodeOf,
  isJsonAsked,
  ReaderGone,
  ToolError,
  tellPeople,
} from '@memsvc/shared/internal'
import { CommanderError } from 'commander'
import { complain } from './commands/output.ts'
import { commandFirst } from './option-order.ts'
import { makeProgram } from './program.ts'

async function run(args: string[], spentMs?: number): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done
  const program = makeProgram((result) => {
    exitCode = result
  }, spentMs)
  const json = isJsonAsked(args)
  if (json) for (const each of [program, ...program.commands]) each.configureOutput({ writeErr: () => {} })
  try {
    await program.parseAsync(commandFirst(program, args), { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done
    if (error instanceof CommanderError) {
      if (json && error.exitCode !== 0) tellPeople(errorObject(usageError(error)))
      return error.exitCode === 0 ? EXIT.done : EXIT.usage
    }
    if (json) tellPeople(errorObject(error))
    else complain(error)
    return exitCodeOf(error)
  }
}

function usageError({ message }: CommanderError): ToolError {
  return new ToolError(EXIT.usage, message.replace(/^error: /, ''))
}

/**
 * Ends the process.
 * @param spentMs what a first attempt has taken of the time that the command may take, in milliseconds
 */
export async function main(spentMs?: number): Promise<void> {
  const exitCode = await run(process.argv.slice(2), spentMs)
  // exit(), because with exitCode a call that nobody waits for, or a preloaded module, would keep the process alive.
  // One turn later, so that a second signal that arrived together with the first one is handled by the daemon.
  setImmediate(() => process.exit(exitCode))
}
