/**
 * The command line in commander: help, version, and the messages for wrong command lines. It is loaded only for these.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandLine, describeCommand, EXIT, EXIT_MEANINGS, ToolError } from '@memsvc/shared/internal'
import type { Command, CommanderError } from 'commander'
import type { Invocation } from './arguments.ts'
import type { CommandEntry } from './command-table.ts'
import type { Options } from './commands/options.ts'
import { EXAMPLES } from './examples.ts'

const EPILOGUE = `
NAME is the name of a service (default: AnonymousSharedMemory). The registry is the one that the options name, else $MEMSVC_REGISTRY,
else the user's registry if XDG_RUNTIME_DIR is set, else the machine's.

Exit codes: ${EXIT_MEANINGS.map((meaning, code) => `${code} ${meaning}`).join(', ')}`

/** Of single commands. */
const OWN_OPTIONS: { readonly [K in keyof Options]?: readonly [flags: string, meaning: string] } = {
  output: ['--output <file>', 'write to this file, which is replaced only when all is written'],
  file: ['--file <file>', 'read the value from this file; - means standard input'],
  bytes: ['--bytes', 'store the value as bytes, unchanged'],
  ifVersion: ['--if-version <n>', 'do it only if the key has this version; 0 means: only if it has no value'],
  ttl: ['--ttl <seconds>', 'delete the key after this time'],
  maxAge: ['--max-age <time>', 'for a copy of values from a cluster: fail if it is older than this (5s, 500ms, 2min)'],
  count: ['--count <n>', 'stop after this many lines'],
  until: ['--until <value>', 'stop when the value is this one'],
  port: ['--port <n>', 'the port on 127.0.0.1 (default: a free one)'],
  open: ['--open', 'open the window in your browser'],
  start: ['--no-start', 'do not start a daemon if none answers'],
  wait: ['--wait [seconds]', 'wait until there is a value; without SECONDS, as long as it takes'],
}

export type CommandTable = ReadonlyMap<string, CommandEntry>

/**
 * Reads any command line.
 * @returns the command; a text for help or the version
 * @throws ToolError that says what is wrong
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
      'reads, sets and watches values in shared memory: the value of a memsvc daemon, and the values of stores',
    )
    .version(packageVersion(), '--version')
    .option('--json', 'print one JSON object per line, also for errors')
    .option('--registry <path>', "the registry's socket (default: $MEMSVC_REGISTRY, else the user's or the machine's)")
    .option('--system', "use the machine's registry, /run/memsvc/registry.sock")
    .option('--user', "use the user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock")
    .option('--registry-owner <uid>', 'another user who may run the registry, besides root and you')
    .option('--timeout <seconds>', 'how long to wait for all answers together (default: 5)')
    .option('--store <name>', 'the name of the store, for commands about keys (default: SharedStore)')
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
        throw new ToolError(EXIT.usage, `${command} does not use a store: it takes no --store (see memclient --help)`)
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
