/** The command line as commander sees it: help, versions, and what is wrong with the others. It is loaded only for these. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandLine, describeCommand, EXIT, EXIT_MEANINGS, ToolError } from '@memsvc/shared/internal'
import type { Command, CommanderError } from 'commander'
import type { Invocation } from './arguments.ts'
import type { CommandEntry } from './command-table.ts'
import type { Options } from './commands/options.ts'
import { EXAMPLES } from './examples.ts'

const EPILOGUE = `
The name of a service defaults to AnonymousSharedMemory, that of a store to SharedStore. Its registry is where the options say, else at
MEMSVC_REGISTRY, else the user's where XDG_RUNTIME_DIR is set, else the machine's.

Exit codes: ${EXIT_MEANINGS.map((meaning, code) => `${code} ${meaning}`).join(', ')}`

/** Of single commands. */
const OWN_OPTIONS: { readonly [K in keyof Options]?: readonly [flags: string, meaning: string] } = {
  output: ['--output <file>', 'write to a file, which is there whole or as it was'],
  file: ['--file <file>', 'take the value from a file; - is stdin'],
  bytes: ['--bytes', 'take the value as bytes, as it is'],
  ifVersion: ['--if-version <n>', 'only if the key has this version; 0: only if it has no value'],
  ttl: ['--ttl <seconds>', 'delete the key after so long'],
  maxAge: ['--max-age <time>', 'of a copy of values on another machine: no older than this (5s, 500ms, 2min)'],
  count: ['--count <n>', 'end after so many'],
  until: ['--until <value>', 'end when the value is this one'],
  port: ['--port <n>', 'of 127.0.0.1; 0, or none: a free one'],
  open: ['--open', 'open a browser'],
  start: ['--no-start', 'start no daemon where none answers'],
  wait: ['--wait [seconds]', 'wait until there is a value, for so long at most'],
}

export type CommandTable = ReadonlyMap<string, CommandEntry>

/**
 * Reads any command line.
 * @returns what was asked for; a text when that was help or the version
 * @throws ToolError it is wrong, and how
 */
export async function readArguments(argv: readonly string[], commands: CommandTable): Promise<Invocation | string> {
  const commander = await import('commander')
  let invocation: Invocation | undefined
  let text = ''
  const program = new commander.Command('memclient')
  program.configureOutput({
    writeOut: (piece) => {
      text += piece
    },
    writeErr: () => {},
  })
  declareProgram(program, commands, (asked) => {
    invocation = asked
  })
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error
    if (error.exitCode !== 0) throw new ToolError(EXIT.usage, usageMessage(error, commands), { cause: error })
  }
  return invocation ?? text.trimEnd()
}

/** The command line, for shells and for the man page. */
export async function describeProgram(commands: CommandTable): Promise<CommandLine> {
  const { Command } = await import('commander')
  const program = new Command('memclient')
  declareProgram(program, commands, () => undefined)
  return describeCommand(program)
}

function declareProgram(program: Command, commands: CommandTable, onInvocation: (asked: Invocation) => void): void {
  program
    .description(
      'Reads, sets and watches values in shared memory: one that a memsvc daemon serves, and those of stores.',
    )
    .version(packageVersion(), '--version')
    .option('--json', 'print one JSON object per line; errors too')
    .option('--registry <path>', "the registry's socket")
    .option('--system', "the machine's registry, /run/memsvc/registry.sock")
    .option('--user', "the user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock")
    .option('--registry-owner <uid>', 'who is trusted with it besides root and this user')
    .option('--timeout <seconds>', 'how long to wait for answers, all together (default: 5)')
    .option('--store <name>', 'the name of the store (default: SharedStore)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText('after', EPILOGUE)
  for (const [command, { operands, options = [], summary }] of commands) {
    const declared = program.command([command, ...operands].join(' ')).description(summary)
    for (const [name, [flags, meaning]] of Object.entries(OWN_OPTIONS)) {
      if (options.includes(name as keyof Options)) declared.option(flags, meaning)
    }
    const examples = (EXAMPLES[command] ?? []).map(({ line, does }) => `    ${line.padEnd(50)} ${does}`.trimEnd())
    if (examples.length > 0) declared.addHelpText('after', `\nExamples:\n${examples.join('\n')}`)
    declared.action(() => {
      const given = declared.optsWithGlobals<Options>()
      if (given.store !== undefined && !options.includes('store')) {
        throw new ToolError(EXIT.usage, `${command} is not about a store: it takes no --store (see memclient --help)`)
      }
      onInvocation({ command, operands: declared.args, options: given })
    })
  }
}

function usageMessage(error: CommanderError, commands: CommandTable): string {
  const names = [...commands.keys()].join(', ')
  const text = error.code === 'commander.help' ? `a command is missing: one of ${names}` : error.message
  return `${text.replace(/^error: /, '')} (see memclient --help)`
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  return (manifest as { version: string }).version
}
