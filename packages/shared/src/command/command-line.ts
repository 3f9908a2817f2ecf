/**
 * The description of a command line, for its man page and the completion of shells. It is read from commander's
 * program, where the command line is declared.
 */

export interface OptionLine {
  /** `--registry <path>` */
  readonly flags: string
  readonly long: string
  readonly meaning: string
  /** The name of its value; null: it has none. */
  readonly value: string | null
  readonly choices: readonly string[]
}

export interface OperandLine {
  readonly name: string
  readonly isNeeded: boolean
  readonly choices: readonly string[]
}

export interface CommandLine {
  readonly name: string
  readonly summary: string
  readonly operands: readonly OperandLine[]
  readonly options: readonly OptionLine[]
  readonly commands: readonly CommandLine[]
}

interface DeclaredOption {
  readonly flags: string
  readonly long?: string | null | undefined
  readonly description: string
  readonly argChoices?: readonly string[] | undefined
  readonly required: boolean
  readonly optional: boolean
}

interface DeclaredArgument {
  name(): string
  readonly required: boolean
  readonly argChoices?: readonly string[] | undefined
}

/** What of a commander `Command` is looked at. */
export interface DeclaredCommand {
  name(): string
  description(): string
  readonly options: readonly DeclaredOption[]
  readonly registeredArguments: readonly DeclaredArgument[]
  readonly commands: readonly DeclaredCommand[]
}

/** Commands whose names begin with this are for other programs, and are not listed. */
const HIDDEN = '__'

export function describeCommand(command: DeclaredCommand): CommandLine {
  return {
    name: command.name(),
    summary: command.description(),
    operands: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      isNeeded: argument.required,
      choices: argument.argChoices ?? [],
    })),
    options: command.options.map(describeOption),
    commands: command.commands.filter((each) => !each.name().startsWith(HIDDEN)).map(describeCommand),
  }
}

function describeOption({ flags, long, description, argChoices, required, optional }: DeclaredOption): OptionLine {
  const [, value = ''] = /[<[]([^>\]]+)[>\]]/.exec(flags) ?? []
  return {
    flags,
    long: long ?? flags,
    meaning: description,
    value: required || optional ? value.replace(/\.+$/, '') : null,
    choices: argChoices ?? [],
  }
}
