import type { Benchmark, Contender, Group, Sample } from '../harness/benchmark.ts'
import { type Checkout, type Field, nodeProgram } from '../harness/field.ts'
import { availableMemory, type Memory, memoryOf } from '../harness/proc.ts'
import { RunningProgram } from '../harness/process.ts'
import { loadShared } from '../programs/library.ts'

const BYTES = 256 * 2 ** 20
const COUNTS = [1, 10, 50]

/** Of the program `holder`. */
type Mode = 'share' | 'copy' | 'bare' | 'used'

const BARE = 'bare Node'
const USED = 'Node that threw 1 MiB away'
const COPIES = 'a copy each'

export function sharedMemory(field: Field): Benchmark {
  return {
    name: 'shared-memory',
    title: 'N processes that hold the same 256 MiB',
    about:
      'Means per process, and the sum of the proportional sizes, which is what the machine must have. The resident size counts shared pages in every process, so it says little. "Beyond" is the proportional size without the share of the 256 MiB, and without the size of an idle Node process. The process that threw 1 MiB away has made 1 MiB of garbage and loaded nothing: it shows the memory that V8 takes for its young generation as soon as a program does anything.',
    groups: COUNTS.map((count) => group(field, count)),
  }
}

function group(field: Field, count: number): Group {
  const [checkout] = field.checkouts as [Checkout]
  return {
    name: count === 1 ? '1 process' : `${count} processes`,
    pinning: 'free',
    base: COPIES,
    figures: [
      { key: 'rss', unit: 'bytes', isAbsolute: true },
      { key: 'pss', unit: 'bytes', isAbsolute: true },
      { key: 'sum', unit: 'bytes' },
      { key: 'beyond', unit: 'bytes', isAbsolute: true },
    ],
    rounds: 1,
    contenders: [
      holding(BARE, () => measure(checkout, 'bare', count)),
      holding(USED, () => compare(checkout, 'used', count, 0)),
      ...field.checkouts.map((own) => holding(own.label, () => compare(own, 'share', count, BYTES / count))),
      copying(checkout, count),
    ],
  }
}

function copying(checkout: Checkout, count: number): Contender {
  const isTooMuch = count * BYTES * 1.2 > availableMemory()
  if (isTooMuch) return { name: COPIES, absent: `there is no memory for ${count} copies here` }
  return holding(COPIES, () => measure(checkout, 'copy', count))
}

function holding(name: string, sample: () => Promise<Sample>): Contender {
  return { name, open: async () => ({ sample, close: async () => undefined }) }
}

/** @param held bytes of a process that are not its own */
async function compare(checkout: Checkout, mode: Mode, count: number, held: number): Promise<Sample> {
  const bare = await measure(checkout, 'bare', count)
  const sample = await measure(checkout, mode, count)
  return { ...sample, beyond: (sample.pss as number) - held - (bare.pss as number) }
}

/** Starts so many processes, looks at them while all are there, and ends them. */
async function measure({ root }: Checkout, mode: Mode, count: number): Promise<Sample> {
  const { MemoryFile } = await loadShared(root)
  using owner = new MemoryFile('bench', BYTES)
  const region = owner.shareReadOnly()
  const program = { ...nodeProgram('holder', mode, root, BYTES), descriptor: region.getFd() }
  const running: RunningProgram[] = []
  try {
    for (let i = 0; i < count; i++) running.push(await RunningProgram.start(program, null))
    return summary(running.map(({ pid }) => memoryOf(pid)))
  } finally {
    for (const process of running) await process.stop()
    region.close()
  }
}

function summary(sizes: readonly Memory[]): Sample {
  const [rss, pss] = [total(sizes.map(({ rss }) => rss)), total(sizes.map(({ pss }) => pss))]
  return { rss: rss / sizes.length, pss: pss / sizes.length, sum: pss }
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
