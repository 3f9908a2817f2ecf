/** The command lines of the bench. */
import { parseArgs } from 'node:util'

export interface Options {
  /** What is not an option: benchmarks by name, none is all; of a comparison, two revisions come first. */
  readonly operands: readonly string[]
  readonly rounds: number
  /** How long a contender works in one round. */
  readonly milliseconds: number
  readonly isQuick: boolean
  readonly list: boolean
  /** Install no peers: they are reported as absent. */
  readonly noPeers: boolean
  /** Write docs/performance.md. */
  readonly docs: boolean
}

/** @throws TypeError an unknown option; RangeError no number of rounds, or docs of a part of the benchmarks */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals: operands } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      'no-peers': { type: 'boolean', default: false },
      docs: { type: 'boolean', default: false },
    },
  })
  const { quick: isQuick, list, docs, 'no-peers': noPeers } = values
  const rounds = Number(values.rounds ?? (isQuick ? 2 : 7))
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`--rounds takes a positive integer, got ${values.rounds}`)
  }
  if (docs && operands.length > 0) throw new RangeError('--docs is of all benchmarks, it takes no names')
  return { operands, rounds, milliseconds: isQuick ? 100 : 400, isQuick, list, noPeers, docs }
}

/** Runs a command: what goes wrong is told in a line, and is exit status 2. */
export async function runCommand(command: (options: Options) => Promise<void>): Promise<void> {
  try {
    await command(readOptions(process.argv.slice(2)))
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  }
}
