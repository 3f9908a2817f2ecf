/**
 * Reads simple command lines: a command, its operands, options. Loading commander takes longer than most commands,
 * so it is used only for the rest: help, `--`, and wrong command lines, for which it makes the message. It understands
 * the lines that are read here in the same way.
 */

/** What may stand on the command lines of a tool, besides what commander is left with. */
export interface PlainSyntax<Options extends object> {
  /** Options with a value, in the next word or behind an equals sign. */
  readonly values: ReadonlyMap<string, keyof Options>
  /** Options without one. */
  readonly switches: ReadonlyMap<string, keyof Options>
  /** Options of all commands. */
  readonly common: readonly (keyof Options)[]
  /**
   * The operands of each command, as commander writes them (`<needed>`, `[optional]`), and its options besides those
   * that all commands have.
   */
  readonly commands: ReadonlyMap<
    string,
    { readonly operands: readonly string[]; readonly options?: readonly (keyof Options)[] | undefined }
  >
}

/** A command with its operands and options. */
export interface PlainWords<Options extends object> {
  readonly command: string
  /** As many as the command takes. */
  readonly operands: readonly string[]
  /** The text of each that has a value, true for the others. */
  readonly options: Options
}

/** What commander takes for a number. */
const NEGATIVE_NUMBER = /^-(\d+|\d*\.\d+)(e[+-]?\d+)?$/

/** @returns null when the line is not plain */
export function readPlainWords<Options extends object>(
  argv: readonly string[],
  { values, switches, common, commands }: PlainSyntax<Options>,
): PlainWords<Options> | null {
  const operands: string[] = []
  const options: Partial<Record<keyof Options, string | true>> = {}
  const rest = argv.values()
  for (const word of rest) {
    const equals = word.indexOf('=')
    const valued = values.get(equals < 0 ? word : word.slice(0, equals))
    const isSwitch = switches.get(word)
    if (isSwitch !== undefined) options[isSwitch] = true
    else if (valued !== undefined) {
      const value = equals < 0 ? rest.next().value : word.slice(equals + 1)
      if (value === undefined) return null
      options[valued] = value
    } else if (word.startsWith('-') && word !== '-' && !NEGATIVE_NUMBER.test(word)) return null
    else operands.push(word)
  }
  const command = operands.shift()
  const known = command === undefined ? undefined : commands.get(command)
  if (command === undefined || known === undefined) return null
  const needed = known.operands.filter((operand) => operand.startsWith('<')).length
  const isCounted = operands.length >= needed && operands.length <= known.operands.length
  const allowed: readonly unknown[] = [...common, ...(known.options ?? [])]
  return isCounted && Object.keys(options).every((option) => allowed.includes(option))
    ? { command, operands, options: options as Options }
    : null
}
