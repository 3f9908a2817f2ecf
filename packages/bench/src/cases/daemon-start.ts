import type { Benchmark, Contender, Place, Sample } from '../harness/benchmark.ts'
import { daemonOf, type Field, nodeProgram, peerContender } from '../harness/field.ts'
import { memoryOf } from '../harness/proc.ts'
import { type Program, RunningProgram } from '../harness/process.ts'
import { REDIS, redisServer } from '../peers/redis.ts'

const BASE = 'bare Node server'

export function daemonStart(field: Field): Benchmark {
  return {
    name: 'daemon-start',
    title: 'Starting the daemon',
    about:
      'The time from the start of the process until it reports that it serves, and the memory that it has then. The bare server is `node:net` alone.',
    groups: [
      {
        name: 'until ready',
        pinning: 'split',
        base: BASE,
        figures: [
          { key: 'ms', unit: 'ms' },
          { key: 'rss', unit: 'bytes' },
          { key: 'pss', unit: 'bytes' },
        ],
        contenders: [
          starting(BASE, ({ folder }) => nodeProgram('net-server', `${folder}/net-${Date.now()}.sock`, 'each')),
          ...field.checkouts.map((checkout) => starting(checkout.label, (place) => daemonOf(checkout, place))),
          ...peerContender(field, 'redis-server', REDIS, (peers, name) =>
            starting(name, (place) => redisServer(peers, place)),
          ),
        ],
      },
    ],
  }
}

function starting(name: string, program: (place: Place) => Program): Contender {
  return {
    name,
    open: async (place) => {
      await start(program(place), place)
      return { sample: () => start(program(place), place), close: async () => undefined }
    },
  }
}

async function start(program: Program, { serverCpu }: Place): Promise<Sample> {
  const before = performance.now()
  const running = await RunningProgram.start(program, serverCpu)
  const ms = performance.now() - before
  const sample = { ms, ...memoryOf(running.pid) }
  await running.stop()
  return sample
}
