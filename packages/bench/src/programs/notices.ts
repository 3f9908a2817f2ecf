/**
 * From a change to its notice in another process. The value that is set is the time it was set at, so that whoever reads it
 * knows how old it is: CLOCK_MONOTONIC is one clock for all processes.
 */
import type { Sample } from '../harness/benchmark.ts'
import { percentiles } from './samples.ts'

/** Of a stamp: so that it fits a positive int32. It turns over after 214 s. */
const TICK_NS = 100n
const TICKS = 2 ** 31

/** The time now, as a value that can be set. */
function stamp(): number {
  return Number((process.hrtime.bigint() / TICK_NS) % BigInt(TICKS))
}

/** Sets the time, waits for the answer and then for `pauseMs`, and so on. */
export async function setInIntervals(
  milliseconds: number,
  pauseMs: number,
  set: (value: number) => unknown,
): Promise<Sample> {
  const end = performance.now() + milliseconds
  let count = 0
  for (; performance.now() < end; count++) {
    await set(stamp())
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return { count }
}

/** What all watchers of a process have read. */
export class NoticeLog {
  readonly #watchers: number
  readonly #readers = new Map<number, number>()
  #latencies: number[] = []

  constructor(watchers: number) {
    this.#watchers = watchers
  }

  /** A watcher has read this value. The last one of all ends its latency; a value that some skip has none. */
  read(value: number): void {
    const readers = (this.#readers.get(value) ?? 0) + 1
    this.#readers.set(value, readers)
    if (readers === this.#watchers) this.#latencies.push(ageMicroseconds(value))
  }

  /** The latencies of the time from now on. */
  async sample(milliseconds: number): Promise<Sample> {
    this.#readers.clear()
    this.#latencies = []
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    return percentiles(this.#latencies)
  }
}

function ageMicroseconds(value: number): number {
  return (((stamp() - value + TICKS) % TICKS) * Number(TICK_NS)) / 1000
}
