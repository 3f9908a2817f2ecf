/**
 * Reads plain command lines: a command, its operands, `--json`, `--registry PATH`. Commander costs more to load than
 * `memclient read` takes to run, so it is asked only about the rest: help, `--`, and everything that is wrong, whose
 * message is its business. What is understood here it understands in the same way.
 */

/** The operands of each command, as commander writes them: `<needed>`, `[optional]`. */
export type Operands = ReadonlyMap<string, { readonly operands: readonly string[] }>

/** What was asked for. */
export interface Invocation {
  /** A name of the command table. */
  readonly command: string
  /** As many as the command takes. */
  readonly operands: readonly string[]
  readonly json: boolean
  readonly registryPath: string | undefined
}

const REGISTRY_EQUALS = '--registry='
const NEGATIVE_NUMBER = /^-\d+$/

/** @returns null when the line is not plain */
export function readPlainArguments(argv: readonly string[], commands: Operands): Invocation | null {
  const operands: string[] = []
  let json = false
  let registryPath: string | undefined
  const rest = argv.values()
  for (const word of rest) {
    if (word === '--json') json = true
    else if (word === '--registry') {
      registryPath = rest.next().value
      if (registryPath === undefined) return null
    } else if (word.startsWith(REGISTRY_EQUALS)) registryPath = word.slice(REGISTRY_EQUALS.length)
    else if (word.startsWith('-') && !NEGATIVE_NUMBER.test(word)) return null
    else operands.push(word)
  }
  const command = operands.shift()
  return command !== undefined && takes(commands, command, operands.length)
    ? { command, operands, json, registryPath }
    : null
}

function takes(commands: Operands, command: string, count: number): boolean {
  const operands = commands.get(command)?.operands
  if (operands === undefined) return false
  const needed = operands.filter((operand) => operand.startsWith('<')).length
  return count >= needed && count <= operands.length
}
