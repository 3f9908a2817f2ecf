import { type Benchmark, type Group, THROUGHPUT } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { type Field, nodeProgram, registryIn, withDaemon } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { hubAlone } from '../peers/hub.ts'

const C_EPOLL = 'C epoll server'

export function manyConnections(field: Field): Benchmark {
  return {
    name: 'many-connections',
    title: 'Many connections, one call in flight on each',
    about:
      'The same load generator, in C, loads every server. For memsvc it speaks docs/protocol.md, and each call sets the value. `memfd-native` alone echoes 16 bytes.',
    groups: [100, 1000].map((connections) => group(field, connections)),
  }
}

function group(field: Field, connections: number): Group {
  return {
    name: `${connections} connections`,
    pinning: 'split',
    base: C_EPOLL,
    figures: THROUGHPUT,
    contenders: [
      contender(C_EPOLL, {
        servers: ({ folder }) => [baseline('echo-server', `${folder}/echo.sock`, 'seqpacket', 'one')],
        client: ({ folder }) => baseline('load', `${folder}/echo.sock`, 'seqpacket', connections),
        task: 'load',
      }),
      ...withDaemon(field, 'load', (_, { folder }) => baseline('load', registryIn(folder), 'memsvc', connections)),
      hubAlone(field, 'load', (path) => baseline('load', path, 'seqpacket', connections)),
      ...(field.peers === null
        ? []
        : [
            contender('node:net server', {
              servers: ({ folder }) => [nodeProgram('net-server', `${folder}/net.sock`, 'packed')],
              client: ({ folder }) => baseline('load', `${folder}/net.sock`, 'stream', connections),
              task: 'load',
            }),
          ]),
    ],
  }
}
