/**
 * `npm run mutate -- [--count N] [--seed N] [--again] [--only PATH]`: takes guards out of a copy of the tree, one at a time,
 * and says which of them no test misses. Goes on where it was cut off. `-- --table` makes the table of which test runs
 * which line, and nothing else; `-- --list` names the mutants of a draw; `-- --report` says what is known of it; `--
 * --sample N` tries N of the guards that must be noticed, without the table.
 */
import { setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { repositoryRoot } from './lib/workspace.mjs'
import { affectedTests, makeTable } from './mutate/affected.mjs'
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
    only: { type: 'string', default: 'packages' },
    table: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    sample: { type: 'string' },
  },
})
const count = Number(values.count)
const { seed } = values

function drawn(root) {
  return draw(
    listMutants(root).filter(({ file }) => file.startsWith(values.only)),
    seed,
  )
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
    if (known?.tests[test]?.name === table.tests[test].name) return
    console.log(`table ${index}/${total} ${test} ${verdict} ${ms} ms`)
    writeTable(repositoryRoot, {
      tests: { ...known?.tests, ...table.tests },
      sources: { ...known?.sources, ...table.sources },
    })
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
    const isKnown = before !== undefined && !(values.again && before.verdict === 'survived')
    found.push(isKnown ? { ...before, ...mutant } : await tryMutant(scratch, table, results, mutant))
  }
  return found
}

async function tryMutant(scratch, table, results, mutant) {
  const result = { seed, ...mutant, ...(await judge(scratch, mutant, affectedTests(table, scratch, mutant))) }
  results.add(result)
  console.log(`${result.verdict} ${describe(result)}${result.by ? ` by ${result.by}` : ''} (${result.ms} ms)`)
  return result
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
