/** Allows options before the command too: `memsvc --registry PATH list`. */
import type { Command } from 'commander'

/**
 * The same command line with the command first, for a program whose options belong to its commands.
 * @returns `args` as they are when they cannot be told apart: then they are wrong, or ask for help or the version
 */
export function commandFirst(program: Command, args: readonly string[]): readonly string[] {
  const options = program.commands.flatMap((command) => command.options)
  let at = 0
  for (let word = args[at]; word?.startsWith('-'); word = args[at]) {
    const [name] = word.split('=', 1)
    const option = options.find(({ long }) => long === name)
    if (option === undefined) return args
    at += option.required && name === word ? 2 : 1
  }
  const command = args[at]
  return command === undefined ? args : [command, ...args.slice(0, at), ...args.slice(at + 1)]
}
