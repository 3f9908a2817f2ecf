/**
 * The owner of an area is killed (SIGKILL) at every store, fence, allocation and copy of its transactions: model/kills.cc, with the real
 * writer, kernel and processor. A part of the places here; all of them are `npm run figure -- area-kills`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { compile, isThere } from '../test-support/index.ts'

t.setTimeout(300_000) // the compiler's, on a machine that has other things to do
const compiler = process.env.CXX ?? 'g++'
const skip = isThere(compiler) ? false : `there is no ${compiler}`
/** One place of so many is tried. */
const EVERY = 13

interface Verdict {
  scripts: number
  places: number
  killed: number
  wrong: number
  first: string
}

const program = join(t.testdir(), 'area-kills')
if (skip === false) compile(compiler, 'model/kills.cc', ['-o', program])

function kill(...args: (string | number)[]): Verdict {
  const { stdout, stderr, status } = spawnSync(program, args.map(String), { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(`area-kills ${args.join(' ')}: ${stderr}`)
  return JSON.parse(stdout) as Verdict
}

t.test('wherever an owner is killed, its last transaction is there whole, or not at all', { skip }, async (t) => {
  const { wrong, first, ...counts } = kill('--every', EVERY)
  t.equal(wrong, 0, first)
  t.ok(counts.places > 1000)
  t.ok(counts.killed >= Math.floor(counts.places / EVERY))
  t.comment(counts)
})

t.test('the control: an owner that commits before it publishes is found out', { skip }, async (t) => {
  const { wrong, first } = kill('--script', 1, '--early')
  t.ok(wrong > 0)
  t.comment(first)
})

/** By the numbers of sites.h: a script that needs it when the owner is killed in its middle. */
const NEEDED: Record<number, number> = { 11: 6, 13: 2, 17: 5 }

for (const [repair, script] of Object.entries(NEEDED)) {
  t.test(`without repair ${repair} a killed owner leaves something wrong`, { skip }, async (t) => {
    t.equal(kill('--script', script).wrong, 0, 'with it')
    const { wrong, first } = kill('--script', script, '--without', repair)
    t.ok(wrong > 0, 'without it')
    t.comment(first)
  })
}
