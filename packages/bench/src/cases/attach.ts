import { type Benchmark, type Group, type Pinning, ROUND_TRIP } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { type Field, longWarmUp, peer, withDaemon } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { dbus } from '../peers/dbus.ts'
import { hubAttach } from '../peers/hub.ts'
import { net } from '../peers/net.ts'
import { REDIS, redisClient, redisServer } from '../peers/redis.ts'

const C_ATTACH = 'C attach'

export function attach(field: Field): Benchmark {
  return {
    name: 'attach',
    title: 'Connecting and reading for the first time, in a running process',
    about:
      'memsvc: connect to the registry, ask for the service, get its channel, ask it for the region, map, read. C: connect, receive the descriptor, map, read; there is no registry in between. `memfd-native` alone does what memsvc does, with 16 bytes for each call. The others: connect and ask for the value. In a full run, all contenders warm up for five seconds first.',
    groups: [group(field, 'two cores', 'split'), group(field, 'one core', 'same')],
  }
}

function group(field: Field, name: string, pinning: Pinning): Group {
  return {
    name,
    pinning,
    base: C_ATTACH,
    figures: ROUND_TRIP,
    ...longWarmUp(field),
    contenders: [
      contender(C_ATTACH, {
        servers: ({ folder }) => [baseline('attach-server', `${folder}/attach.sock`)],
        client: ({ folder }) => baseline('attach-client', `${folder}/attach.sock`),
        task: 'attach',
      }),
      ...withDaemon(field, 'attach'),
      hubAttach(field),
      ...net(field, 'node:net binary', 'attach', 'each'),
      ...peer(field, 'ioredis connect + GET', REDIS, (peers) => ({
        servers: (place) => [redisServer(peers, place)],
        client: (place) => redisClient(peers, place),
        task: 'attach',
      })),
      ...dbus(field, 'dbus-next connect + call', 'attach'),
    ],
  }
}
