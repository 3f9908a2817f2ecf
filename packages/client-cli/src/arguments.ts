/**
 * Reads simple command lines: a command, its operands, options. Loading commander takes longer than `memclient read`,
 * so it is used only for the rest: help, `--`, and wrong command lines, for which it makes the message. It understands
 * the lines that are read here in the same way.
 */
import type { Options } from './commands/options.ts'

/**
 * The operands of each command, as commander writes them (`<needed>`, `[optional]`), and its options besides those that
 * all commands have.
 */
export type Commands = ReadonlyMap<
  string,
  { readonly operands: readonly string[]; readonly options?: readonly (keyof Options)[] }
>

/** A command with its operands and options. */
export interface Invocation {
  /** A name of the command table. */
  readonly command: string
  /** As many as the command takes. */
  readonly operands: readonly string[]
  readonly options: Options
}

/** Options with a value, in the next word or behind an equals sign, and those without. */
const VALUES = new Map<string, keyof Options>([
  ['--registry', 'registry'],
  ['--registry-owner', 'registryOwner'],
  ['--timeout', 'timeout'],
  ['--store', 'store'],
  ['--output', 'output'],
  ['--file', 'file'],
  ['--if-version', 'ifVersion'],
  ['--ttl', 'ttl'],
  ['--max-age', 'maxAge'],
  ['--count', 'count'],
  ['--until', 'until'],
  ['--port', 'port'],
])
/** Its value may be missing, and is taken for one only where it is a number: a name may follow. */
const WAIT = '--wait'
const SECONDS = /^\d+(\.\d+)?$/
const SWITCHES = new Map<string, keyof Options>([
  ['--json', 'json'],
  ['--system', 'system'],
  ['--user', 'user'],
  ['--bytes', 'bytes'],
  ['--open', 'open'],
])
const COMMON: readonly (keyof Options)[] = ['json', 'timeout', 'registry', 'registryOwner', 'system', 'user']
/** What commander takes for a number. */
const NEGATIVE_NUMBER = /^-(\d+|\d*\.\d+)(e[+-]?\d+)?$/

/** `--wait SECONDS` as `--wait=SECONDS`, and `--wait` alone as `--wait=`: then both readers take it alike. */
export function withWaitJoined(argv: readonly string[]): string[] {
  const joined: string[] = []
  const end = argv.indexOf('--')
  for (const [i, word] of argv.entries()) {
    const isAfterWait = joined.at(-1) === `${WAIT}=` && argv[i - 1] === WAIT
    const isOption = end < 0 || i < end
    if (isOption && word === WAIT) joined.push(`${WAIT}=`)
    else if (isAfterWait && SECONDS.test(word)) joined[joined.length - 1] = `${WAIT}=${word}`
    else joined.push(word)
  }
  return joined
}

/** @returns null when the line is not plain */
export function readPlainArguments(argv: readonly string[], commands: Commands): Invocation | null {
  const operands: string[] = []
  const options: Record<string, string | true> = {}
  const rest = argv.values()
  for (const word of rest) {
    const equals = word.indexOf('=')
    const valued = VALUES.get(equals < 0 ? word : word.slice(0, equals))
    const isSwitch = SWITCHES.get(word)
    if (word.startsWith(`${WAIT}=`)) options.wait = word.slice(equals + 1)
    else if (isSwitch !== undefined) options[isSwitch] = true
    else if (valued !== undefined) {
      const value = equals < 0 ? rest.next().value : word.slice(equals + 1)
      if (value === undefined) return null
      options[valued] = value
    } else if (word.startsWith('-') && word !== '-' && !NEGATIVE_NUMBER.test(word)) return null
    else operands.push(word)
  }
  const command = operands.shift()
  const isKnown = command !== undefined && takes(commands, command, operands.length, Object.keys(options))
  return isKnown ? { command, operands, options } : null
}

function takes(commands: Commands, command: string, count: number, options: readonly string[]): boolean {
  const known = commands.get(command)
  if (known === undefined) return false
  const needed = known.operands.filter((operand) => operand.startsWith('<')).length
  const allowed: readonly string[] = [...COMMON, ...(known.options ?? [])]
  return count >= needed && count <= known.operands.length && options.every((option) => allowed.includes(option))
}
