/** From the words of a command line to an exit code. */
import { errorCode } from '@memsvc/shared'
import {
  completionSources,
  completions,
  Deadline,
  EXIT,
  type ExitCode,
  errorLine,
  errorText,
  exitCodeOf,
  readRegistryOptions,
  readTimeout,
  ToolError,
} from '@memsvc/shared/internal'
import { type Invocation, readPlainArguments, withWaitJoined } from './arguments.ts'
import { COMMANDS } from './command-table.ts'
import type { Context } from './commands/context.ts'
import { ReaderGone } from './commands/output.ts'
import { jsonVersion } from './commands/value-text.ts'
import { EXAMPLES } from './examples.ts'
import { describeProgram, readArguments } from './program.ts'

/** What the process has for the tool; a command's context is this and what was asked. */
export interface System extends Omit<Context, 'registry' | 'json' | 'options' | 'deadline'> {
  /** When the tool began, by `performance.now()`: its deadline counts from there. */
  readonly begin: number
}

/** Never throws: what goes wrong is told in one line, and is the exit code. */
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
  if (entry === undefined) throw new Error(`${command} is no command`)
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

/** Also of a line that is wrong. */
function isJsonAsked(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** The error as an object: its code, and what else it carries. */
function errorObject(error: unknown): string {
  const origin = error instanceof ToolError ? (error.cause ?? error) : error
  const carried = origin instanceof Error ? Object.entries(origin).filter(([, value]) => isPlain(value)) : []
  const fields = Object.fromEntries(carried.map(([name, value]) => [name, jsonField(value)]))
  const exitCode = exitCodeOf(error)
  return JSON.stringify({ ...fields, code: codeOf(origin, exitCode), message: errorText(error), exitCode })
}

/** That of the library or of the kernel; else what the tool's own errors are called there. */
function codeOf(origin: unknown, exitCode: ExitCode): string | null {
  const code = errorCode(origin) ?? ''
  return /^E[A-Z0-9_]+$/.test(code) ? code : (CODES[exitCode] ?? null)
}

const CODES: { readonly [K in ExitCode]?: string } = {
  [EXIT.usage]: 'ERR_INVALID_ARG_VALUE',
  [EXIT.notFound]: 'ERR_NO_SUCH_ELEMENT',
  [EXIT.tryAgain]: 'ERR_TIMEOUT',
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
}

function jsonField(value: unknown): unknown {
  return typeof value === 'bigint' ? jsonVersion(value) : value
}
