import type { Benchmark, Contender, Place, Sample } from '../harness/benchmark.ts'
import { Cast } from '../harness/contender.ts'
import { daemonOf, type Field, nodeProgram, peerContender, registryIn } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { memoryOf } from '../harness/proc.ts'
import type { Program, RunningProgram } from '../harness/process.ts'

/** Opened in each round, and never closed. */
const STEP = 1000
const ROUNDS = 5

export function idleConnections(field: Field): Benchmark {
  return {
    name: 'idle-connections',
    title: 'What a connection costs that does nothing',
    about: `The resident memory of the server per connection. Each round opens ${STEP} more; the first ${STEP} do not count. In C, only the kernel needs memory.`,
    groups: [
      {
        name: 'resident memory of the server',
        pinning: 'split',
        base: 'C epoll server',
        figures: [{ key: 'bytes', unit: 'bytes', isAbsolute: true }],
        rounds: ROUNDS,
        contenders: [
          opening('C epoll server', 'seqpacket', sockIn, (place) =>
            baseline('echo-server', sockIn(place), 'seqpacket', 'one'),
          ),
          ...field.checkouts.map((checkout) =>
            opening(
              checkout.label,
              'memsvc',
              ({ folder }) => registryIn(folder),
              (place) => daemonOf(checkout, place),
            ),
          ),
          ...peerContender(field, 'node:net server', [], (_, name) =>
            opening(name, 'stream', sockIn, (place) => nodeProgram('net-server', sockIn(place), 'each')),
          ),
        ],
      },
    ],
  }
}

function sockIn({ folder }: Place): string {
  return `${folder}/echo.sock`
}

function opening(
  name: string,
  protocol: string,
  path: (place: Place) => string,
  server: (place: Place) => Program,
): Contender {
  return {
    name,
    open: async (place) => {
      const cast = await Cast.start([])
      const running = await cast.add(server(place), place.serverCpu)
      const client = await cast.add(baseline('load', path(place), protocol, STEP), place.clientCpu)
      return { sample: () => openMore(running, client), close: () => cast.close() }
    },
  }
}

async function openMore(server: RunningProgram, client: RunningProgram): Promise<Sample> {
  const before = memoryOf(server.pid).rss
  await client.sample('open', 0)
  return { bytes: (memoryOf(server.pid).rss - before) / STEP }
}
