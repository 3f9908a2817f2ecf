/**
 * The protocol of the area, as it is coded, against a memory that answers whatever the orders of its accesses allow: model/main.cc runs the
 * reader and the writer themselves. Small scripts here; the whole is `npm run figure -- area-model`. Each defect that was
 * ever found is found again when its repair is taken out.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { compile, isThere } from '../test-support/index.ts'

t.setTimeout(300_000) // the compiler's, on a machine that has other things to do
const compiler = process.env.CXX ?? 'g++'
const skip = isThere(compiler) ? false : `there is no ${compiler}`

interface Verdict {
  scripts: number
  of: number
  executions: number
  states: number
  violations: number
  first: string
}

const program = join(t.testdir(), 'area-model')
if (skip === false) compile(compiler, 'model/main.cc', ['-o', program])

/** `text`: the arguments, of which those in quotes are one. */
function check(text: string): Verdict {
  const args = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(`area-model ${text}: ${stderr}`)
  return JSON.parse(stdout) as Verdict
}

/** All scripts of these letters and this length, by these readers, under both memories. */
const WHOLE = [
  '--alphabet "X Y XY x xY" --length 3 --readers g',
  '--alphabet "X Y x xY" --length 2 --readers gcd',
  '--alphabet "X Y x y r i" --length 3 --readers g',
  '--alphabet "X Y XY x r" --length 3 --readers sk',
  '--alphabet "X XY x r" --length 2 --readers w --log 4',
  '--alphabet "X XY x r" --length 2 --readers n --log 4',
  '--alphabet "X Y x r" --length 2 --readers n --log 2',
  '--alphabet "X K r i" --length 3 --readers g',
  '--alphabet "X Y x j" --length 3 --readers gs',
  '--alphabet "X XY x j" --length 2 --readers wn --log 4',
  '--alphabet "X x r j" --length 3 --readers w --log 2',
]

for (const scripts of WHOLE) {
  for (const memory of ['', ' --tso']) {
    t.test(`no answer is wrong, and no reader is stuck: ${scripts}${memory}`, { skip }, async (t) => {
      const { violations, first, executions, ...rest } = check(`${scripts}${memory}`)
      t.equal(violations, 0, first)
      t.equal(rest.scripts, rest.of)
      t.ok(executions > rest.scripts)
    })
  }
}

/** By the numbers of sites.h: the shortest trace known to need it. */
const NEEDED: Record<number, string> = {
  1: '--script "X X Y Y X" --blocks 2 --readers g',
  2: '--script "X x r Y" --readers g',
  3: '--script "Y Y X" --readers gc',
  4: '--script "X X X" --readers g',
  5: '--script "Y X y r i i i" --readers g',
  6: '--script "Y X y r i i i" --readers g',
  7: '--script "X X" --readers g',
  8: '--script "X Y y x r r X" --readers g',
  9: '--script "X X" --readers g',
  10: '--script "X x r Y" --readers gd',
  11: '--script "X x r X" --readers g',
  12: '--script "X Y x r" --readers s',
  13: '--script "X X" --readers k',
  14: '--script "XY X" --readers w',
  15: '--script "X X X" --readers w --log 2',
  16: '--script "X x r Y" --entries 1 --readers w',
  17: '--script "XX X X" --readers g',
  18: '--script "XY XY M" --readers g',
  19: '--script "X X" --readers g',
}

for (const [number, scripts] of Object.entries(NEEDED)) {
  t.test(`repair ${number} is needed: ${scripts}`, { skip }, async (t) => {
    t.equal(check(scripts).violations, 0, 'with it')
    const { violations, first } = check(`${scripts} --without ${number}`)
    t.equal(violations, 1, 'without it')
    t.comment(first)
  })
}

/** Places whose order no neighbour makes up for. */
const ORDERED: Record<string, string> = {
  kPublishTx: '--script "X X X X" --blocks 2 --readers g',
  kTx: '--script "X X X X" --blocks 2 --readers g',
  kPrevFence: '--script "Y Y Y X" --blocks 2 --readers g',
  kValueFence: '--script "X X X X" --blocks 2 --readers g',
  kNewIndex: '--script "X i X" --readers g',
  kIndex: '--script "X i X" --readers g',
  kTxAgain: '--script "M M XY X" --readers g',
  kUid: '--script "X x r Y" --entries 1 --readers g',
  kNames: '--script "X X" --readers gc',
  kNewName: '--script "X X" --readers gc',
  kReshaped: '--script "XY XY M" --readers g',
  kCommit: '--script "XY XY XY" --readers s',
  kCommitted: '--script "XY XY XY" --readers s',
  kRetired: '--script "X Y x r" --readers s',
}

/** Of a watcher that is told only of what is new, the same repairs as of one that is told of everything. */
const NEEDED_FROM_NOW: Record<number, string> = {
  14: '--script "XY X" --readers n',
  15: '--script "X X" --readers n',
  16: '--script "X x r Y" --entries 1 --readers n',
}

for (const [number, scripts] of Object.entries(NEEDED_FROM_NOW)) {
  t.test(`repair ${number} is needed by who is told only of what is new: ${scripts}`, { skip }, async (t) => {
    t.equal(check(scripts).violations, 0, 'with it')
    t.equal(check(`${scripts} --without ${number}`).violations, 1, 'without it')
  })
}

for (const [site, scripts] of Object.entries(ORDERED)) {
  t.test(`the order of ${site} is needed`, { skip }, async (t) => {
    t.equal(check(scripts).violations, 0, 'with it')
    t.equal(check(`${scripts} --weaken ${site}`).violations, 1, 'relaxed')
  })
}
