/** `npm run bench`: runs the benchmarks, all or by name, and writes the report. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { allBenchmarks } from './cases/cases.ts'
import { choose } from './choice.ts'
import type { Benchmark } from './harness/benchmark.ts'
import { thisCheckout } from './harness/field.ts'
import { Peers } from './harness/installed-peers.ts'
import { buildBaseline } from './harness/native.ts'
import { buildFolder, repositoryFolder } from './harness/paths.ts'
import { allowedCpus, describeMachine } from './machine.ts'
import { type Options, runCommand } from './options.ts'
import { type Run, reportCharts, reportPage } from './report.ts'
import { type BenchmarkResult, runBenchmark } from './runner.ts'
import { TARGETS } from './targets.ts'
import { judge } from './verdicts.ts'

const log = (line: string) => process.stderr.write(`${line}\n`)

await runCommand(async (options) => {
  const peers = options.noPeers || options.list ? Peers.none('not asked for') : Peers.install(log)
  const benchmarks = allBenchmarks({ checkouts: [thisCheckout], peers, isQuick: options.isQuick })
  if (options.list) for (const { name, title } of benchmarks) console.log(`${name.padEnd(24)} ${title}`)
  else report(await run(choose(benchmarks, options.operands), options), options)
})

async function run(chosen: readonly Benchmark[], { rounds, milliseconds }: Options): Promise<Run> {
  buildBaseline()
  const machine = describeMachine()
  const results: BenchmarkResult[] = []
  for (const benchmark of chosen) {
    results.push(await runBenchmark(benchmark, { rounds, milliseconds, cpus: allowedCpus(), log }))
  }
  return { machine, rounds, milliseconds, results }
}

function report(run: Run, { docs, operands, isQuick, noPeers }: Options): void {
  const words = [
    ...operands,
    ...(isQuick ? ['--quick'] : []),
    ...(noPeers ? ['--no-peers'] : []),
    ...(docs ? ['--docs'] : []),
  ]
  const command = ['npm run bench', ...(words.length > 0 ? ['--', ...words] : [])].join(' ')
  const verdicts = judge(TARGETS, run.results)
  const page = reportPage(run, verdicts, command, 'performance')
  const folders = [`${buildFolder}/report`, ...(docs ? [`${repositoryFolder}docs`] : [])]
  for (const folder of folders) {
    mkdirSync(`${folder}/performance`, { recursive: true })
    writeFileSync(`${folder}/performance.md`, page)
    for (const [name, chart] of reportCharts(run)) writeFileSync(`${folder}/performance/${name}`, chart)
  }
  writeFileSync(`${buildFolder}/report/results.json`, JSON.stringify({ ...run, verdicts }, null, 1))
  console.log(page)
}
