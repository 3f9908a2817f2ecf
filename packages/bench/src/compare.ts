/**
 * `npm run bench:compare -- REV_A REV_B [BENCHMARK ...]`: builds two commits and lets them compete in one run. Ends with 1
 * when B is slower in anything.
 */
import { allBenchmarks } from './cases/cases.ts'
import { checkOut, remove } from './checkout.ts'
import { choose } from './choice.ts'
import { comparisonTable, findChanges } from './comparison.ts'
import { buildBaseline } from './harness/native.ts'
import { allowedCpus } from './machine.ts'
import { runCommand } from './options.ts'
import { type BenchmarkResult, runBenchmark } from './runner.ts'

/** What a change of the library is felt in. */
const KEY_BENCHMARKS = [
  'read',
  'set-value-round-trip',
  'set-value-pipelined',
  'many-connections',
  'attach',
  'process-read',
]

const log = (line: string) => process.stderr.write(`${line}\n`)

await runCommand(async ({ operands, rounds, milliseconds, isQuick }) => {
  const [revisionA, revisionB, ...names] = operands
  if (revisionA === undefined || revisionB === undefined) throw new RangeError('two revisions are needed')
  buildBaseline()
  const checkouts = [checkOut(revisionA, log), checkOut(revisionB, log)] as const
  try {
    const all = allBenchmarks({ checkouts, peers: null, isQuick })
    const results: BenchmarkResult[] = []
    for (const benchmark of choose(all, names.length === 0 ? KEY_BENCHMARKS : names)) {
      results.push(await runBenchmark(benchmark, { rounds, milliseconds, cpus: allowedCpus(), log }))
    }
    const changes = findChanges(results, checkouts[0].label, checkouts[1].label)
    console.log(comparisonTable(changes, revisionA, revisionB))
    process.exitCode = changes.some(({ outcome }) => outcome === 'slower') ? 1 : 0
  } finally {
    for (const checkout of checkouts) remove(checkout)
  }
})
