import { type Benchmark, type Group, type Pinning, ROUND_TRIP } from '../harness/benchmark.ts'
import { type Field, longWarmUp, nodeProgram, peer, withDaemon } from '../harness/field.ts'
import { C_ECHO, cEcho } from '../peers/c.ts'
import { dbus } from '../peers/dbus.ts'
import { hubAlone } from '../peers/hub.ts'
import { net } from '../peers/net.ts'
import { REDIS, redisClient, redisServer } from '../peers/redis.ts'

export function setValueRoundTrip(field: Field): Benchmark {
  return {
    name: 'set-value-round-trip',
    title: 'Setting a value and waiting for the answer',
    about:
      'One call at a time, with promises. `lmdb` has no server to ask: `putSync` writes into a map of its own process, about three times faster than a round trip to any daemon can be. We do not claim the "fastest set". `memfd-native` alone echoes 16 bytes: the least that a call can cost in Node.js here. In a full run, all contenders warm up for five seconds first.',
    groups: [group(field, 'two cores', 'split'), group(field, 'one core', 'same')],
  }
}

function group(field: Field, name: string, pinning: Pinning): Group {
  return {
    name,
    pinning,
    base: C_ECHO,
    figures: ROUND_TRIP,
    ...longWarmUp(field),
    contenders: [
      cEcho(C_ECHO, 'set'),
      ...withDaemon(field, 'set'),
      hubAlone(field, 'set'),
      ...net(field, 'node:net binary', 'set', 'each'),
      ...net(field, 'node:net JSON lines', 'set', 'json'),
      ...peer(field, 'ioredis SET', REDIS, (peers) => ({
        servers: (place) => [redisServer(peers, place)],
        client: (place) => redisClient(peers, place),
        task: 'set',
      })),
      ...peer(field, 'ZeroMQ request', ['zeromq'], (peers) => ({
        servers: ({ folder }) => [
          nodeProgram('zeromq', 'server', peers.folder('zeromq'), `ipc://${folder}/zeromq.sock`),
        ],
        client: ({ folder }) => nodeProgram('zeromq', 'client', peers.folder('zeromq'), `ipc://${folder}/zeromq.sock`),
        task: 'set',
      })),
      ...dbus(field, 'dbus-next call', 'set'),
      ...peer(field, 'lmdb putSync', ['lmdb'], (peers) => ({
        client: ({ folder }) => nodeProgram('lmdb-client', peers.folder('lmdb'), `${folder}/store`),
        task: 'set',
      })),
    ],
  }
}
