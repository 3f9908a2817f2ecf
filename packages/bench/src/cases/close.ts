import { type Benchmark, type Contender, type Group, ROUND_TRIP, type Sample } from '../harness/benchmark.ts'
import { Cast, contender } from '../harness/contender.ts'
import { type Checkout, daemonOf, type Field, nodeProgram, registryIn } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { descriptorsOf } from '../harness/proc.ts'
import type { RunningProgram } from '../harness/process.ts'

const CYCLES = 100_000
const QUICK_CYCLES = 1000

export function close(field: Field): Benchmark {
  return {
    name: 'close',
    title: 'Closing, and what is left of it',
    about:
      '`MemoryFile.close()` against munmap and close in C, for a mapping that was read. The benchmark first checks that nothing is mapped any more when `close()` returns. Then it attaches and closes many times: the number of descriptors and of mapped regions at the end must equal the number at the beginning, in the client and in the daemon.',
    groups: [group(field, '4 KiB', 4096), group(field, '1 MiB', 2 ** 20), cyclesGroup(field)],
  }
}

function group(field: Field, name: string, bytes: number): Group {
  return {
    name,
    pinning: 'split',
    base: 'C',
    figures: ROUND_TRIP,
    contenders: [
      contender('C', { client: () => baseline('memory', bytes), task: 'unmap' }),
      ...field.checkouts.map(({ label, root }) =>
        contender(label, { client: () => nodeProgram('memsvc-closer', root, bytes), task: 'close' }),
      ),
    ],
  }
}

function cyclesGroup(field: Field): Group {
  const keys = ['cycles', 'descriptors', 'mappings', 'descriptors of the daemon']
  return {
    name: 'attach and close, over and over',
    pinning: 'split',
    base: field.checkouts[0]?.label ?? '',
    figures: keys.map((key) => ({ key, unit: 'count', isAbsolute: true })),
    rounds: 1,
    contenders: field.checkouts.map((checkout) => cycling(checkout, field.isQuick ? QUICK_CYCLES : CYCLES)),
  }
}

function cycling(checkout: Checkout, cycles: number): Contender {
  return {
    name: checkout.label,
    open: async (place) => {
      const cast = await Cast.start([])
      const daemon = await cast.add(daemonOf(checkout, place), place.serverCpu)
      const words = [checkout.root, registryIn(place.folder), cycles]
      const client = await cast.add(nodeProgram('memsvc-cycles', ...words), place.clientCpu)
      return { sample: () => countLeft(daemon, client), close: () => cast.close() }
    },
  }
}

async function countLeft(daemon: RunningProgram, client: RunningProgram): Promise<Sample> {
  const before = descriptorsOf(daemon.pid)
  const sample = await client.sample('cycles', 0)
  return { ...sample, 'descriptors of the daemon': await settled(daemon, before) }
}

/** The daemon learns of the last close a moment later. */
async function settled(daemon: RunningProgram, before: number): Promise<number> {
  for (let attempt = 0; attempt < 50 && descriptorsOf(daemon.pid) > before; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return descriptorsOf(daemon.pid) - before
}
