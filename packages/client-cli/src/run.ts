/** From the words of a command line to an exit code. */
import { readRegistryOptions } from '@memsvc/shared/internal'
import { type Invocation, readPlainArguments } from './arguments.ts'
import { COMMANDS } from './command-table.ts'
import type { Context } from './context.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'
import { formatError, ReaderGone } from './output.ts'

/** What the process has for the tool; a command's context is this and what was asked. */
export type System = Pick<Context, 'print' | 'tell' | 'untilInterrupted'>

/** Never throws: what goes wrong is told in one line, and is the exit code. */
export async function run(argv: readonly string[], system: System): Promise<ExitCode> {
  try {
    const asked = readPlainArguments(argv, COMMANDS) ?? (await import('./program.ts')).readArguments(argv, COMMANDS)
    if (typeof asked !== 'string') return await carryOut(asked, system)
    await system.print(asked)
    return EXIT.done
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done
    system.tell(formatError(error))
    return exitCodeOf(error)
  }
}

async function carryOut({ command, operands, json, registry }: Invocation, system: System): Promise<ExitCode> {
  const entry = COMMANDS.get(command)
  if (entry === undefined) throw new Error(`${command} is no command`)
  return entry.execute({ ...system, json, registry: readRegistryOptions(registry) }, ...operands)
}
