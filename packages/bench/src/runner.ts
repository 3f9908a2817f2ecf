/**
 * Runs a benchmark. All contenders of a group are started first; then each works once per round, one after the other,
 * while the others sleep. One round before the first warms up the compilers and is thrown away.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Benchmark, Contender, Group, Pinning, Place, Sample, Subject } from './harness/benchmark.ts'

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
  const start = new StartingLine()
  try {
    for (const [index, contender] of group.contenders.entries()) {
      await start.admit(contender, placeOf(`${folder}/${index}`, group.pinning, options.cpus))
    }
    const rounds = Math.min(options.rounds, group.rounds ?? options.rounds)
    const warmUp = Math.max(options.milliseconds, group.warmUpMilliseconds ?? WARM_UP_MS)
    const samples = await takeRounds(start, { milliseconds: options.milliseconds, warmUp, rounds })
    const { name, pinning, base, figures } = group
    return { name, pinning, base, figures, samples, absent: start.absent }
  } finally {
    await start.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Compilers take about so long to be done with a loop. */
const WARM_UP_MS = 300

async function takeRounds(
  start: StartingLine,
  { milliseconds, warmUp, rounds }: { milliseconds: number; warmUp: number; rounds: number },
): Promise<Record<string, Sample[]>> {
  const samples = new Map<string, Sample[]>([...start.subjects.keys()].map((name) => [name, []]))
  for (let round = rounds > 1 ? -1 : 0; round < rounds; round++) {
    for (const [name, subject] of start.subjects) {
      try {
        const sample = await subject.sample(round >= 0 ? milliseconds : warmUp)
        if (round >= 0) samples.get(name)?.push(sample)
      } catch (error) {
        samples.delete(name)
        await start.dismiss(name, error)
      }
    }
  }
  return Object.fromEntries(samples)
}

/** Who takes part. A contender that does not start, or fails, is reported, and the others are measured all the same. */
class StartingLine {
  readonly subjects = new Map<string, Subject>()
  readonly absent: Record<string, string> = {}

  async admit(contender: Contender, place: Place | string): Promise<void> {
    const { name } = contender
    if ('absent' in contender) this.absent[name] = contender.absent
    else if (typeof place === 'string') this.absent[name] = place
    else {
      try {
        this.subjects.set(name, await contender.open(place))
      } catch (error) {
        this.absent[name] = `it did not start: ${messageOf(error)}`
      }
    }
  }

  async dismiss(name: string, error: unknown): Promise<void> {
    this.absent[name] = `it failed: ${messageOf(error)}`
    await this.subjects.get(name)?.close()
    this.subjects.delete(name)
  }

  async close(): Promise<void> {
    for (const subject of this.subjects.values()) await subject.close()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The reason instead, where there are too few cores. */
function placeOf(folder: string, pinning: Pinning, [first, second]: readonly number[]): Place | string {
  mkdirSync(folder)
  if (pinning === 'free') return { folder, serverCpu: null, clientCpu: null }
  if (first === undefined || (pinning === 'split' && second === undefined)) return 'this machine has one core only'
  return { folder, serverCpu: first, clientCpu: pinning === 'same' ? first : (second as number) }
}
