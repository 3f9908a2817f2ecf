import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const TITLE = 'The area`s protocol as it is coded, whole alphabets under a weak memory and under x86-64`s'
/** `row`: only this one (its number), `from`: from this script on, where an earlier run stopped. */
export const DEFAULTS = { seconds: 60, row: 0, from: 0 }

/** What is explored, each under both memories. */
const ROWS = [
  ['puts, transactions, deletes', '--length 4 --readers g --alphabet', 'X Y XY x xY'],
  ['the same, one block more', '--length 4 --blocks 4 --readers g --alphabet', 'X Y XY x xY'],
  ['the same, read twice, dying writer', '--length 3 --readers gcd --alphabet', 'X Y XY x xY'],
  ['retiring, a new index', '--length 4 --readers g --alphabet', 'X Y x y r i'],
  ['the same, read twice, dying writer', '--length 3 --readers gcd --alphabet', 'X Y x y r i'],
  ['three keys', '--length 4 --readers g --alphabet', 'X Y Z XY x r i'],
  ['three keys, snapshots, all keys', '--length 4 --readers sk --alphabet', 'X Y Z XY x r'],
  ['long keys, two size classes', '--length 4 --readers g --alphabet', 'X L M XY K x'],
  ['a watcher, log of 4', '--length 3 --log 4 --readers w --alphabet', 'X Y XY x r'],
  ['a watcher, log of 2', '--length 3 --log 2 --readers w --alphabet', 'X Y x r'],
  ['a watcher of what is new, log of 4', '--length 3 --log 4 --readers n --alphabet', 'X Y XY x r'],
  ['a watcher of what is new, log of 2', '--length 3 --log 2 --readers n --alphabet', 'X Y x r'],
  ['versions are left out', '--length 4 --readers gs --alphabet', 'X Y x r j'],
  ['the same, watched, log of 4', '--length 3 --log 4 --readers wn --alphabet', 'X XY x r j'],
]

export async function run(_scope, { seconds, row, from }) {
  const folder = mkdtempSync(join(tmpdir(), 'area-model-'))
  try {
    const program = join(folder, 'area-model')
    const source = 'packages/memfd-native/model/main.cc'
    const args = ['-std=c++20', '-O2', '-fno-exceptions', source, '-o', program]
    if (spawnSync(process.env.CXX ?? 'g++', args, { stdio: 'inherit' }).status !== 0)
      throw new Error('it does not compile')
    const chosen = ROWS.filter((_, i) => row === 0 || row === i + 1)
    return chosen.flatMap((each) => ['', '--tso'].map((memory) => explore(program, each, { memory, seconds, from })))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function explore(program, [what, options, alphabet], { memory, seconds, from }) {
  const args = [...options.split(' '), alphabet, '--from', String(from), '--seconds', String(seconds)]
  const { stdout } = spawnSync(program, memory === '' ? args : [...args, memory], { encoding: 'utf8' })
  const { of, next, executions, states, violations, first } = JSON.parse(stdout)
  const where = next < of ? `stopped: --from ${next} of ${of}` : ''
  const size = `${executions.toLocaleString('en-US')} executions, ${states.toLocaleString('en-US')} states`
  return {
    what: `${what}: ${alphabet}, ${options.match(/--length (\d)/)[1]} long${memory === '' ? '' : ', x86-64'}`,
    attempted: next - from,
    survived: next - from - violations,
    note: [size, where, first].filter(Boolean).join('; '),
  }
}
