/**
 * What an owner can cost a reader: model/bounds.cc counts what one call does at most against an owner that is hostile to the utmost, and
 * model/damage.cc reads what another thread changes at random, with the bounds and, as the control, without.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { compile, isThere } from '../test-support/index.ts'

t.setTimeout(300_000) // the compiler's, on a machine that has other things to do
const compiler = process.env.CXX ?? 'g++'
const skip = isThere(compiler) ? false : `there is no ${compiler}`
const MIB = 1 << 20

function built(name: string): string {
  const program = join(t.testdir(), name)
  if (skip === false) compile(compiler, `model/${name}.cc`, ['-pthread', '-o', program])
  return program
}

t.test('no call has no end: its loads and the bytes that it copies are bounded', { skip }, async (t) => {
  const { stdout, status } = spawnSync(built('bounds'), { encoding: 'utf8' })
  t.equal(status, 0)
  const calls = JSON.parse(stdout) as Record<string, { loads: number; bytes: number }>
  t.ok(Object.keys(calls).length >= 9)
  for (const [name, { loads, bytes }] of Object.entries(calls)) {
    // A few milliseconds of work. The values are of 1 MiB.
    t.ok(loads <= 300_000, `${name}: ${loads} loads`)
    t.ok(bytes <= 24 * MIB, `${name}: ${bytes} bytes`)
  }
  // Of 256 rounds each ends with the first key: what is gone does not come back.
  const { loads } = calls['snapshot of a moment that is gone'] ?? { loads: Number.NaN }
  t.ok(loads <= 8_000, `a moment that is gone: ${loads} loads`)
})

t.test('bytes that change at random: every call has an answer; without the checks they kill', { skip }, async (t) => {
  const program = built('damage')
  for (const seed of ['1', '2']) {
    const { stdout, status } = spawnSync(program, ['50000', seed], { encoding: 'utf8' })
    t.equal(status, 0)
    t.match(JSON.parse(stdout), { calls: 50_000 })
    t.comment(stdout)
  }
  const { signal } = spawnSync(program, ['1000000', '1', '--unchecked'])
  t.ok(signal === 'SIGSEGV' || signal === 'SIGBUS', `the control ended by ${signal}`)
})
