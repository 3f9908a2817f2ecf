/** From the words of a command line to an exit code. */
import {
  Deadline,
  EXIT,
  type ExitCode,
  errorLine,
  exitCodeOf,
  readRegistryOptions,
  readTimeout,
} from '@memsvc/shared/internal'
import { type Invocation, readPlainArguments } from './arguments.ts'
import { COMMANDS } from './command-table.ts'
import type { Context } from './commands/context.ts'
import { ReaderGone } from './commands/output.ts'
import { readArguments } from './program.ts'

/** What the process has for the tool; a command's context is this and what was asked. */
export interface System extends Pick<Context, 'print' | 'tell' | 'untilInterrupted'> {
  /** When the tool began, by `performance.now()`: its deadline counts from there. */
  readonly begin: number
}

/** Never throws: what goes wrong is told in one line, and is the exit code. */
export async function run(argv: readonly string[], system: System): Promise<ExitCode> {
  try {
    const asked = readPlainArguments(argv, COMMANDS) ?? (await readArguments(argv, COMMANDS))
    if (typeof asked !== 'string') return await carryOut(asked, system)
    await system.print(asked)
    return EXIT.done
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done
    system.tell(errorLine('memclient', error))
    return exitCodeOf(error)
  }
}

async function carryOut({ command, operands, json, timeout, registry }: Invocation, system: System): Promise<ExitCode> {
  const entry = COMMANDS.get(command)
  if (entry === undefined) throw new Error(`${command} is no command`)
  const deadline = new Deadline(readTimeout(timeout), system.begin)
  return entry.execute({ ...system, json, deadline, registry: readRegistryOptions(registry) }, ...operands)
}
