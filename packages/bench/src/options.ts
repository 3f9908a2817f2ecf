/** The command line of the bench. */
import { parseArgs } from 'node:util'

export interface Options {
  /** Benchmarks by name; none is all. */
  readonly names: readonly string[]
  readonly rounds: number
  /** How long a contender works in one round. */
  readonly milliseconds: number
  readonly isQuick: boolean
  readonly list: boolean
}

/** @throws TypeError an unknown option, RangeError no number of rounds */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string' }, quick: { type: 'boolean' }, list: { type: 'boolean' } },
  })
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 7))
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds takes a positive integer, got ${values.rounds}`)
  const isQuick = values.quick ?? false
  return { names: positionals, rounds, milliseconds: isQuick ? 100 : 400, isQuick, list: values.list ?? false }
}
