/**
 * What the clients share: the conversation with the bench (native/common.h has the same in C), and the loops that are
 * timed. Every loop consumes what it reads: what nobody uses the compiler removes.
 */
import { createInterface } from 'node:readline'
import type { Sample } from '../harness/benchmark.ts'
import { quantile } from '../harness/statistics.ts'

export type Task = (milliseconds: number) => Sample | Promise<Sample>

/** Answers lines "TASK MILLISECONDS" until stdin ends, then ends the process. */
export async function serveSamples(tasks: Readonly<Record<string, Task>>): Promise<void> {
  const lines = createInterface(process.stdin)
  process.stdout.write('ready\n')
  for await (const line of lines) {
    const [name = '', milliseconds] = line.split(' ')
    const task = tasks[name]
    if (task === undefined) throw new Error(`no task ${name}`)
    process.stdout.write(`${JSON.stringify(await task(Number(milliseconds)))}\n`)
  }
  process.exit(0)
}

/** Ends the process with a message unless the peer does what it should. To be asked before anything is timed. */
export function verify(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not as it should be: ${what}`)
}

/** One call after the other, in microseconds. `after` gets what came, and is not timed. */
export async function timeCalls<T>(
  milliseconds: number,
  call: (i: number) => T | Promise<T>,
  after?: (result: T) => unknown,
): Promise<Sample> {
  const durations: number[] = []
  const end = performance.now() + milliseconds
  for (let i = 0, done = 0; done < end; i++) {
    const start = performance.now()
    const result = await call(i)
    done = performance.now()
    durations.push((done - start) * 1000)
    if (after !== undefined) await after(result)
  }
  return percentiles(durations)
}

/** As timeCalls for what does not wait; `prepare` is not timed. */
export function timeSteps<T>(milliseconds: number, prepare: () => T, step: (prepared: T) => void): Sample {
  const durations: number[] = []
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    const prepared = prepare()
    const start = performance.now()
    step(prepared)
    durations.push((performance.now() - start) * 1000)
  }
  return percentiles(durations)
}

const IN_FLIGHT = 64

/** 64 calls in flight at any time. */
export async function timeThroughput(milliseconds: number, call: (i: number) => unknown): Promise<Sample> {
  const start = performance.now()
  const end = start + milliseconds
  let count = 0
  const callOn = async () => {
    while (performance.now() < end) await call(count++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, callOn))
  return { rate: (count * 1000) / (performance.now() - start) }
}

/**
 * Where a loop copies `bytes` to, in turn: each place within a line of the cache that malloc(3) may answer. Copies to places that
 * do not lie like their source take longer (1 KiB: 2 ns), so one place would make the figure a matter of luck.
 */
export function targetsOf(bytes: number): readonly Buffer[] {
  const all = Buffer.alloc(bytes + MALLOC_ALIGNMENT * (TARGETS - 1))
  return Array.from({ length: TARGETS }, (_, i) => all.subarray(i * MALLOC_ALIGNMENT, i * MALLOC_ALIGNMENT + bytes))
}

const MALLOC_ALIGNMENT = 16
const TARGETS = 4

/** Whatever a timed loop computes ends here. */
export let sink = 0

/** Nanoseconds of one operation. `repeat` does it so many times and answers something that depends on all of them. */
export function timeLoop(milliseconds: number, repeat: (times: number) => number): Sample {
  let times = 1
  while (timed(times, repeat) < 1) times *= 2
  let [count, taken] = [0, 0]
  while (taken < milliseconds) {
    taken += timed(times, repeat)
    count += times
  }
  return { ns: (taken * 1e6) / count }
}

function timed(times: number, repeat: (times: number) => number): number {
  const start = performance.now()
  sink += repeat(times)
  return performance.now() - start
}

/** p50 and p99 of at least one duration. */
export function percentiles(durations: readonly number[]): Sample {
  return { p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) }
}
