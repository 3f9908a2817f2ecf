/** The command line as commander sees it: help, versions, and what is wrong with the others. Loaded only for these. */
import { readFileSync } from 'node:fs'
import type { RegistryOptions } from '@memsvc/shared/internal'
import { Command, CommanderError } from 'commander'
import type { Invocation } from './arguments.ts'
import type { CommandEntry } from './command-table.ts'
import { EXIT, ToolError } from './exit-codes.ts'

const EPILOGUE = `
The name of a service defaults to AnonymousSharedMemory. Its registry is where the options say, else at
MEMSVC_REGISTRY, else the user's where XDG_RUNTIME_DIR is set, else the machine's.

Exit codes: ${EXIT.done} done, ${EXIT.failed} failed, ${EXIT.usage} usage or bad value, ${EXIT.notFound} no registry or no such service,
            ${EXIT.notPermitted} not permitted, ${EXIT.tryAgain} try again (a limit, or no answer in time)`

export type CommandTable = ReadonlyMap<string, CommandEntry>

/**
 * Reads any command line.
 * @param commands handed in, so that the bundle need not keep all that they import apart from what is loaded later
 * @returns what was asked for; a text when that was help or the version
 * @throws ToolError it is wrong, and how
 */
export function readArguments(argv: readonly string[], commands: CommandTable): Invocation | string {
  let invocation: Invocation | undefined
  let text = ''
  const program = declareProgram(
    commands,
    (asked) => {
      invocation = asked
    },
    (piece) => {
      text += piece
    },
  )
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) throw new ToolError(EXIT.usage, usageMessage(error, commands), { cause: error })
  }
  return invocation ?? text.trimEnd()
}

function declareProgram(
  commands: CommandTable,
  onInvocation: (asked: Invocation) => void,
  writeOut: (piece: string) => void,
): Command {
  const program = new Command('memclient')
    .description('Reads, sets and watches a value in shared memory that a memsvc daemon serves.')
    .version(packageVersion(), '--version')
    .option('--json', 'print one JSON object per line')
    .option('--registry <path>', "the registry's socket")
    .option('--system', "the machine's registry, /run/memsvc/registry.sock")
    .option('--user', "the user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock")
    .option('--registry-owner <uid>', 'who is trusted with it besides root and this user')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut, writeErr: () => {} })
    .exitOverride()
    .addHelpText('after', EPILOGUE)
  for (const [command, { operands, summary }] of commands) {
    const declared = program.command([command, ...operands].join(' ')).description(summary)
    declared.action(() => {
      const { json = false, ...registry } = declared.optsWithGlobals<RegistryOptions & { json?: boolean }>()
      onInvocation({ command, operands: declared.args, json, registry })
    })
  }
  return program
}

function usageMessage(error: CommanderError, commands: CommandTable): string {
  const names = [...commands.keys()].join(', ')
  const text = error.code === 'commander.help' ? `a command is missing: one of ${names}` : error.message
  return `${text.replace(/^error: /, '')} (see memclient --help)`
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, 'utf8'))
  return (manifest as { version: string }).version
}
