/**
 * Runs a benchmark. All contenders of a group are started first; then each works once per round, one after the other,
 * while the others sleep. One round before the first warms up the compilers and is thrown away.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Benchmark, Contender, Group, Pinning, Place, Sample, Subject } from './benchmark.ts'

export interface RunOptions {
  readonly rounds: number
  /** How long a contender works in one round. */
  readonly milliseconds: number
  readonly cpus: readonly number[]
  readonly log: (line: string) => void
}

export interface GroupResult {
  readonly name: string
  readonly pinning: Pinning
  readonly base: string
  readonly figures: Group['figures']
  /** By contender, then by round. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>
  /** By contender: why it could not be measured. */
  readonly absent: Readonly<Record<string, string>>
}

export interface BenchmarkResult {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly groups: readonly GroupResult[]
}

export async function runBenchmark(benchmark: Benchmark, options: RunOptions): Promise<BenchmarkResult> {
  const { name, title, about } = benchmark
  const groups: GroupResult[] = []
  for (const group of benchmark.groups) {
    options.log(`${name}: ${group.name}`)
    groups.push(await runGroup(group, options))
  }
  return { name, title, about, groups }
}

async function runGroup(group: Group, options: RunOptions): Promise<GroupResult> {
  const folder = mkdtempSync(`${tmpdir()}/memsvc-bench-`)
  const absent: Record<string, string> = {}
  const subjects = new Map<string, Subject>()
  try {
    for (const [index, contender] of group.contenders.entries()) {
      const place = placeOf(`${folder}/${index}`, group.pinning, options.cpus)
      await openSubject(contender, place, subjects, absent)
    }
    const samples = await takeRounds(subjects, options)
    const { name, pinning, base, figures } = group
    return { name, pinning, base, figures, samples, absent }
  } finally {
    for (const subject of subjects.values()) await subject.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A peer that does not start is reported, and the others are measured all the same. */
async function openSubject(
  contender: Contender,
  place: Place | string,
  subjects: Map<string, Subject>,
  absent: Record<string, string>,
): Promise<void> {
  const { name } = contender
  if ('absent' in contender) absent[name] = contender.absent
  else if (typeof place === 'string') absent[name] = place
  else {
    try {
      subjects.set(name, await contender.open(place))
    } catch (error) {
      absent[name] = `it did not start: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

/** Compilers take about so long to be done with a loop. */
const WARM_UP_MS = 300

async function takeRounds(subjects: Map<string, Subject>, options: RunOptions): Promise<Record<string, Sample[]>> {
  const samples: Record<string, Sample[]> = Object.fromEntries([...subjects.keys()].map((name) => [name, []]))
  for (let round = -1; round < options.rounds; round++) {
    for (const [name, subject] of subjects) {
      const sample = await subject.sample(
        round >= 0 ? options.milliseconds : Math.max(options.milliseconds, WARM_UP_MS),
      )
      if (round >= 0) samples[name]?.push(sample)
    }
  }
  return samples
}

/** The reason instead, where there are too few cores. */
function placeOf(folder: string, pinning: Pinning, [first, second]: readonly number[]): Place | string {
  mkdirSync(folder)
  if (pinning === 'free') return { folder, serverCpu: null, clientCpu: null }
  if (first === undefined || (pinning === 'split' && second === undefined)) return 'this machine has one core only'
  return { folder, serverCpu: first, clientCpu: pinning === 'same' ? first : (second as number) }
}
