/** The command lines of memclient that are read without commander, which takes longer to load than `memclient read`. */
import { readPlainWords } from '@memsvc/shared/internal'
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
  ['--wait', 'wait'],
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

/** @returns null when the line is not plain; `argv` is as `withWaitJoined` makes it */
export function readPlainArguments(argv: readonly string[], commands: Commands): Invocation | null {
  return readPlainWords<Options>(argv, { values: VALUES, switches: SWITCHES, common: COMMON, commands })
}
