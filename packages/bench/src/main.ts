/** `npm run bench`: runs the benchmarks, all or by name, and writes the report. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { allBenchmarks } from './cases/cases.ts'
import { thisCheckout } from './field.ts'
import { allowedCpus, describeMachine } from './machine.ts'
import { buildBaseline } from './native.ts'
import { type Options, readOptions } from './options.ts'
import { buildFolder } from './paths.ts'
import { Peers } from './peers/peers.ts'
import { benchmarkSection, targetTable } from './report.ts'
import { type BenchmarkResult, runBenchmark } from './runner.ts'
import { TARGETS } from './targets.ts'
import { judge } from './verdicts.ts'

const log = (line: string) => process.stderr.write(`${line}\n`)

async function main(options: Options): Promise<void> {
  buildBaseline()
  const benchmarks = allBenchmarks({ checkouts: [thisCheckout], peers: Peers.install(log), isQuick: options.isQuick })
  const unknown = options.names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name))
  if (options.list || unknown.length > 0) {
    for (const name of unknown) log(`no benchmark ${name}`)
    for (const { name, title } of benchmarks) console.log(`${name.padEnd(24)} ${title}`)
    process.exitCode = unknown.length
    return
  }
  const chosen = benchmarks.filter(({ name }) => options.names.length === 0 || options.names.includes(name))
  const results: BenchmarkResult[] = []
  for (const benchmark of chosen) {
    const result = await runBenchmark(benchmark, { ...options, cpus: allowedCpus(), log })
    results.push(result)
    console.log(`${benchmarkSection(result)}\n`)
  }
  console.log(targetTable(judge(TARGETS, results)))
  mkdirSync(buildFolder, { recursive: true })
  const { rounds, milliseconds } = options
  writeFileSync(
    `${buildFolder}/results.json`,
    JSON.stringify({ machine: describeMachine(), rounds, milliseconds, results }, null, 1),
  )
}

await main(readOptions(process.argv.slice(2)))
