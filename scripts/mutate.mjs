/**
 * `npm run mutate -- [--count N] [--seed N] [--again] [--only PATH]...`: removes guards from a copy of the tree, one at a time,
 * and reports those whose absence no test notices. A run that was interrupted continues where it stopped.
 *
 * - `--key KEY...` tries these mutants, once more
 * - `--table` only makes the table of which test runs which line
 * - `--list` names the mutants of a draw
 * - `--report` shows what is known of a draw
 * - `--sample N` tries N of the guards that must be noticed, without the table
 */
import { spawnSync } from 'node:child_process'
import { setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { repositoryRoot } from './lib/workspace.mjs'
import { affectedTests, makeTable, passes } from './mutate/affected.mjs'
import { buildAll } from './mutate/build.mjs'
import { judge } from './mutate/judge.mjs'
import { draw, listMutants } from './mutate/mutants.mjs'
import { describe, report } from './mutate/report.mjs'
import { Results, readEquivalent, readTable, writeTable } from './mutate/results.mjs'
import { trySample } from './mutate/sample.mjs'
import { makeScratch, removeScratch } from './mutate/scratch.mjs'
import { endPrograms } from './mutate/trial.mjs'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    /** Survivors are tried again: tests may have been added. */
    again: { type: 'boolean', default: false },
    /** Only mutants of files under it. */
    only: { type: 'string', multiple: true, default: ['packages'] },
    /** These, whatever is known of them. */
    key: { type: 'string', multiple: true },
    table: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    sample: { type: 'string' },
  },
})
const count = Number(values.count)
const { seed } = values
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
  cwd: repositoryRoot,
  encoding: 'utf8',
}).stdout.trim()

function drawn(root) {
  const isWanted = ({ file, key }) =>
    values.only.some((path) => file.startsWith(path)) && (values.key?.includes(key) ?? true)
  return draw(listMutants(root).filter(isWanted), seed)
}

async function withScratch(work) {
  setPriority(19)
  const scratch = makeScratch(repositoryRoot)
  const stop = () => process.exit(130)
  process.on('SIGINT', stop).on('SIGTERM', stop)
  process.on('exit', () => {
    endPrograms(scratch)
    removeScratch(scratch)
  })
  await buildAll(scratch)
  return work(scratch)
}

function tableOf(scratch) {
  const known = readTable(repositoryRoot)
  return makeTable(scratch, known, (table, test, index, total) => {
    const { verdict, ms } = table.tests[test]
    if (known?.tests[test] === table.tests[test]) return
    console.log(`table ${index}/${total} ${test} ${verdict} ${ms} ms`)
    writeTable(repositoryRoot, { ...table, tests: { ...known?.tests, ...table.tests } })
  })
}

/** Those that do not build are drawn, and not counted. */
async function mutate(scratch) {
  const table = await tableOf(scratch)
  const results = new Results(repositoryRoot)
  const found = []
  for (const mutant of drawn(scratch)) {
    if (found.filter(({ verdict }) => verdict !== 'not built').length >= count) break
    const before = results.get(mutant.key)
    const isAsked = values.key !== undefined || (values.again && before?.verdict === 'survived')
    const isKnown = before !== undefined && !isAsked
    found.push(isKnown ? { ...before, ...mutant } : await tryMutant(scratch, table, results, mutant))
  }
  return found
}

async function tryMutant(scratch, table, results, mutant) {
  const found = await judgeSurely(scratch, table, mutant, results.noticedIn(mutant.file))
  const result = { seed, commit, ...mutant, ...found }
  results.add(result)
  const by = result.by ? ` by ${result.by}${result.hangs ? ' (hangs)' : ''}` : ''
  console.log(`${result.verdict} ${describe(result)}${by} (${result.ms} ms)`)
  return result
}

/** A test that has changed since it was looked at, and fails without the mutant too, has noticed nothing. */
async function judgeSurely(scratch, table, mutant, noticed) {
  for (;;) {
    const found = await judge(scratch, mutant, affectedTests(table, scratch, mutant, noticed))
    if (found.verdict !== 'noticed') return found
    const before = table.tests[found.by]
    if (await passes(table, scratch, found.by)) {
      if (table.tests[found.by] !== before) writeTable(repositoryRoot, table)
      return found
    }
  }
}

function knownResults() {
  const results = new Results(repositoryRoot)
  const known = drawn(repositoryRoot).map((mutant) => ({ mutant, result: results.get(mutant.key) }))
  const first = known.findIndex(({ result }) => result === undefined)
  return known.slice(0, first < 0 ? known.length : first).map(({ mutant, result }) => ({ ...result, ...mutant }))
}

if (values.list) {
  for (const mutant of drawn(repositoryRoot).slice(0, count)) console.log(describe(mutant))
} else if (values.report) {
  report(knownResults(), readEquivalent(repositoryRoot))
} else if (values.sample !== undefined) {
  const { noticed, tried } = await withScratch((scratch) => trySample(scratch, { count: Number(values.sample), seed }))
  console.log(`${noticed} passed, ${tried - noticed} failed`)
  if (noticed < tried) process.exitCode = 1
} else if (values.table) {
  await withScratch(tableOf)
} else {
  report(await withScratch(mutate), readEquivalent(repositoryRoot))
}
