/** Turns the words of a command line into an exit code. */
import {
  completionSources,
  completions,
  Deadline,
  EXIT,
  type ExitCode,
  errorLine,
  errorObject,
  exitCodeOf,
  isJsonAsked,
  ReaderGone,
  readRegistryOptions,
  readTimeout,
} from '@memsvc/shared/internal'
import { type Invocation, readPlainArguments, withWaitJoined } from './arguments.ts'
import { COMMANDS } from './command-table.ts'
import type { Context } from './commands/context.ts'
import { EXAMPLES } from './examples.ts'
import { describeProgram, readArguments } from './program.ts'

/** The process's part of a command's context. */
export interface System extends Omit<Context, 'registry' | 'json' | 'options' | 'deadline'> {
  /** When the tool began, in milliseconds by `process.hrtime()`: its deadline counts from there. */
  readonly begin: number
}

/** Never throws: an error becomes one line and the exit code. */
export async function run(line: readonly string[], system: System): Promise<ExitCode> {
  const argv = withWaitJoined(line)
  try {
    if (argv[0] === '__complete' || argv[0] === '__describe') return await answerOthers(argv, system)
    const asked = readPlainArguments(argv, COMMANDS) ?? (await readArguments(argv, COMMANDS))
    if (typeof asked !== 'string') return await carryOut(asked, system)
    await system.print(asked)
    return EXIT.done
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done
    system.tell(isJsonAsked(argv) ? errorObject(error) : errorLine('memclient', error))
    return exitCodeOf(error)
  }
}

async function carryOut({ command, operands, options }: Invocation, system: System): Promise<ExitCode> {
  const entry = COMMANDS.get(command)
  if (entry === undefined) throw new Error(`${command} is not a command`)
  const deadline = new Deadline(readTimeout(options.timeout), system.begin)
  const registry = readRegistryOptions(options)
  return entry.execute({ ...system, json: options.json === true, options, deadline, registry }, ...operands)
}

/** Hidden: what a shell asks at each TAB, and the build for the man page. */
async function answerOthers([what, ...rest]: readonly string[], system: System): Promise<ExitCode> {
  const program = await describeProgram(COMMANDS)
  const words = rest[0] === '--' ? rest.slice(1) : rest
  if (what === '__describe') await system.print(JSON.stringify({ ...program, examples: EXAMPLES }))
  else for (const line of await completions(program, words, completionSources(words))) await system.print(line)
  return EXIT.done
}
