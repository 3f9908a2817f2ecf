/**
 * Reads plain command lines: a command, its operands, `--json`, `--timeout`, the options of the registry. Commander costs more to load than
 * `memclient read` takes to run, so it is asked only about the rest: help, `--`, and everything that is wrong, whose
 * message is its business. What is understood here it understands in the same way.
 */
import type { RegistryOptions } from '@memsvc/shared/internal'

/** The operands of each command, as commander writes them: `<needed>`, `[optional]`. */
export type Operands = ReadonlyMap<string, { readonly operands: readonly string[] }>

/** What was asked for. */
export interface Invocation {
  /** A name of the command table. */
  readonly command: string
  /** As many as the command takes. */
  readonly operands: readonly string[]
  readonly json: boolean
  /** As it was written. */
  readonly timeout?: string
  readonly registry: RegistryOptions
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Options with a value, in the next word or behind an equals sign, and those without. */
const VALUES = new Map<string, 'registry' | 'registryOwner' | 'timeout'>([
  ['--registry', 'registry'],
  ['--registry-owner', 'registryOwner'],
  ['--timeout', 'timeout'],
])
const SWITCHES = new Map<string, 'system' | 'user'>([
  ['--system', 'system'],
  ['--user', 'user'],
])
const NEGATIVE_NUMBER = /^-\d+$/

/** @returns null when the line is not plain */
export function readPlainArguments(argv: readonly string[], commands: Operands): Invocation | null {
  const operands: string[] = []
  const registry: Mutable<RegistryOptions> = {}
  let json = false
  let timeout: string | undefined
  const rest = argv.values()
  for (const word of rest) {
    const equals = word.indexOf('=')
    const valued = VALUES.get(equals < 0 ? word : word.slice(0, equals))
    const isSwitch = SWITCHES.get(word)
    if (word === '--json') json = true
    else if (isSwitch !== undefined) registry[isSwitch] = true
    else if (valued !== undefined) {
      const value = equals < 0 ? rest.next().value : word.slice(equals + 1)
      if (value === undefined) return null
      if (valued === 'timeout') timeout = value
      else registry[valued] = value
    } else if (word.startsWith('-') && !NEGATIVE_NUMBER.test(word)) return null
    else operands.push(word)
  }
  const command = operands.shift()
  return command !== undefined && takes(commands, command, operands.length)
    ? { command, operands, json, ...(timeout !== undefined && { timeout }), registry }
    : null
}

function takes(commands: Operands, command: string, count: number): boolean {
  const operands = commands.get(command)?.operands
  if (operands === undefined) return false
  const needed = operands.filter((operand) => operand.startsWith('<')).length
  return count >= needed && count <= operands.length
}
