import { type Benchmark, type Group, type Pinning, THROUGHPUT } from '../harness/benchmark.ts'
import { type Field, longWarmUp, nodeProgram, peer, withDaemon } from '../harness/field.ts'
import { cEcho } from '../peers/c.ts'
import { dbus } from '../peers/dbus.ts'
import { hubAlone } from '../peers/hub.ts'
import { net } from '../peers/net.ts'
import { REDIS, redisClient, redisServer } from '../peers/redis.ts'

const C_ONE_PER_PACKET = 'C, one message a packet'

export function setValuePipelined(field: Field): Benchmark {
  return {
    name: 'set-value-pipelined',
    title: '64 calls in flight on one connection',
    about:
      'The kernel takes about 2 µs for a packet of any size, so messages that share a packet are faster; "packed" means that the other contender does the same. There are 64 loops, and each waits for its own call. `memfd-native` alone echoes packets of 16 bytes for each call, as a prototype would. In a full run, all contenders warm up for five seconds first.',
    groups: [group(field, 'two cores', 'split'), group(field, 'one core', 'same')],
  }
}

function group(field: Field, name: string, pinning: Pinning): Group {
  return {
    name,
    pinning,
    base: C_ONE_PER_PACKET,
    figures: THROUGHPUT,
    ...longWarmUp(field),
    contenders: [
      cEcho(C_ONE_PER_PACKET, 'pipelined', true),
      cEcho('C, 64 messages a packet', 'packed'),
      ...withDaemon(field, 'pipelined'),
      hubAlone(field, 'pipelined'),
      ...net(field, 'node:net binary', 'pipelined', 'each'),
      ...net(field, 'node:net binary, packed', 'pipelined', 'packed'),
      ...net(field, 'node:net JSON lines', 'pipelined', 'json'),
      ...['pipelined', 'auto-pipelined'].flatMap((task) =>
        peer(field, `ioredis SET, ${task}`, REDIS, (peers) => ({
          servers: (place) => [redisServer(peers, place)],
          client: (place) => redisClient(peers, place),
          task,
        })),
      ),
      ...dbus(field, 'dbus-next call', 'pipelined'),
      ...peer(field, 'lmdb put', ['lmdb'], (peers) => ({
        client: ({ folder }) => nodeProgram('lmdb-client', peers.folder('lmdb'), `${folder}/store`),
        task: 'pipelined',
      })),
    ],
  }
}
