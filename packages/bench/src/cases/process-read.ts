import { type Benchmark, ROUND_TRIP } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { daemonOf, type Field, nodeProgram, peer, registryIn } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { REDIS, redisProgram, redisServer, socketIn } from '../peers/redis.ts'

const BASE = 'node -e 0'

export function processRead(field: Field): Benchmark {
  return {
    name: 'process-read',
    title: 'Reading from the command line, the whole process',
    about:
      'The time from the start of the process to its end, while a server runs. `node -e 0` is what any program in Node costs.',
    groups: [
      {
        name: 'start to end',
        pinning: 'split',
        base: BASE,
        figures: ROUND_TRIP.slice(0, 1),
        contenders: [
          contender(BASE, { client: () => baseline('spawn', process.execPath, '-e', '0'), task: 'run' }),
          ...memclient(field, '', 'read'),
          ...memclient(field, ' --help', '--help'),
          ...peer(field, 'redis-cli get', REDIS, (peers) => ({
            servers: (place) => [redisServer(peers, place)],
            client: ({ folder }) => {
              const { argv, env } = redisProgram(peers, 'redis-cli')
              return { ...baseline('spawn', ...argv, '-s', socketIn(folder), 'get', 'value'), ...(env && { env }) }
            },
            task: 'run',
          })),
        ],
      },
      {
        name: 'a key of a store',
        pinning: 'split',
        base: BASE,
        figures: ROUND_TRIP.slice(0, 1),
        contenders: [
          contender(BASE, { client: () => baseline('spawn', process.execPath, '-e', '0'), task: 'run' }),
          ...memclient(field, '', 'get', 'stamp'),
        ],
      },
    ],
  }
}

/** The tool of each checkout; `suffix` makes the name of the contender. The store has a value under `stamp`. */
function memclient({ checkouts }: Field, suffix: string, ...words: string[]) {
  return checkouts.map((checkout) =>
    contender(`${checkout.label}${suffix}`, {
      servers: (place) => [
        daemonOf(checkout, place),
        ...(words[0] === 'get' ? [nodeProgram('memsvc-store-setter', checkout.root, registryIn(place.folder))] : []),
      ],
      client: ({ folder }) => {
        const tool = `${checkout.root}/packages/client-cli/bin/memclient.js`
        return { ...baseline('spawn', process.execPath, tool, ...words), env: { MEMSVC_REGISTRY: registryIn(folder) } }
      },
      task: 'run',
    }),
  )
}
