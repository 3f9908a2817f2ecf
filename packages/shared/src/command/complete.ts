/** What may come next on a command line, for shells: words with what they mean, a line each. */
import type { CommandLine, OperandLine, OptionLine } from './command-line.ts'

/** What only a running registry knows. Each answers nothing where there is none. */
export interface CompletionSources {
  readonly services: () => Promise<readonly string[]>
  /** Keys of the store that the line is about. */
  readonly keys: () => Promise<readonly string[]>
  /** The value now, of the service that the line is about. */
  readonly values: () => Promise<readonly string[]>
}

/** What the shell completes itself. */
const FILES = ':file'
const FOLDERS = ':folder'

/** By what an operand, or the value of an option, is called. */
const KINDS: Readonly<Record<string, keyof CompletionSources | typeof FILES | typeof FOLDERS>> = {
  name: 'services',
  key: 'keys',
  prefix: 'keys',
  value: 'values',
  file: FILES,
  path: FILES,
  folder: FOLDERS,
}

/**
 * The words that fit.
 * @param words what follows the program's name; the last one is being typed, and may be empty
 * @returns `word<TAB>meaning`, or one of `FILES`, `FOLDERS`
 */
export async function completions(
  program: CommandLine,
  words: readonly string[],
  sources: CompletionSources,
): Promise<string[]> {
  const typed = words.at(-1) ?? ''
  const found = await candidates(program, words, sources)
  return found.filter((line) => line.startsWith(':') || line.startsWith(typed))
}

async function candidates(
  program: CommandLine,
  words: readonly string[],
  sources: CompletionSources,
): Promise<string[]> {
  const before = words.slice(0, -1)
  const typed = words.at(-1) ?? ''
  const all = [...program.options, ...program.commands.flatMap(({ options }) => options)]
  const valued = all.find((option) => option.long === before.at(-1) && option.value !== null)
  if (valued !== undefined) return ofKind(valued.value ?? '', valued.choices, sources)
  const operands = before.filter((word, i) => !word.startsWith('-') && !takesNext(all, before[i - 1]))
  const command = program.commands.find(({ name }) => name === operands[0])
  if (typed.startsWith('-')) return describeOptions([...(command?.options ?? []), ...program.options])
  if (command === undefined)
    return operands.length > 0 ? [] : program.commands.map(({ name, summary }) => line(name, summary))
  const operand: OperandLine | undefined = command.operands[operands.length - 1]
  return operand === undefined ? [] : ofKind(operand.name, operand.choices, sources)
}

function takesNext(options: readonly OptionLine[], word: string | undefined): boolean {
  return options.some(({ long, value }) => long === word && value !== null)
}

function describeOptions(options: readonly OptionLine[]): string[] {
  return [...options.map(({ long, meaning }) => line(long, meaning)), line('--help', 'display help')]
}

async function ofKind(name: string, choices: readonly string[], sources: CompletionSources): Promise<string[]> {
  if (choices.length > 0) return choices.map((choice) => line(choice, ''))
  const kind = KINDS[name]
  if (kind === undefined) return []
  if (kind === FILES || kind === FOLDERS) return [kind]
  return (await sources[kind]()).map((word) => line(word, ''))
}

function line(word: string, meaning: string): string {
  return meaning === '' ? word : `${word}\t${meaning.replace(/\s+/g, ' ')}`
}
