import {
  type Benchmark,
  type Contender,
  type Group,
  type Place,
  ROUND_TRIP,
  type Sample,
} from '../harness/benchmark.ts'
import { Cast } from '../harness/contender.ts'
import { type Checkout, daemonOf, type Field, nodeProgram, peerContender, registryIn } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import type { Program, RunningProgram } from '../harness/process.ts'
import { REDIS, redisServer, socketIn } from '../peers/redis.ts'

/** A round has at least so many changes. */
const MIN_CHANGES = 20

/** The watchers listen before the first change and after the last one. */
const MARGIN_MS = 100

/** Watchers, and milliseconds between two changes: long enough that each is told to all before the next. */
const SIZES = [
  [1, 1],
  [10, 2],
  [100, 10],
  [1000, 100],
] as const

export function noticeLatency(field: Field): Benchmark {
  return {
    name: 'notice-latency',
    title: 'From a change to its notice in another process',
    about:
      'One process sets the value. Another process has N watchers, each on a connection of its own, and reads it. The server between them is on the other core. A latency ends when the last of the N watchers has read. The value is the time at which it was set.',
    groups: [...SIZES.map(([watchers, pauseMs]) => group(field, watchers, pauseMs)), stoppedGroup(field)],
  }
}

export interface Roles {
  readonly pauseMs: number
  readonly server: (place: Place) => Program
  readonly setter: (place: Place) => Program
  readonly watcher: (place: Place) => Program
}

function group(field: Field, watchers: number, pauseMs: number): Group {
  const net = ({ folder }: Place) => `${folder}/net.sock`
  return {
    name: watchers === 1 ? '1 watcher' : `${watchers} watchers`,
    pinning: 'split',
    base: 'C',
    figures: ROUND_TRIP,
    contenders: [
      told('C', {
        pauseMs,
        server: ({ folder }) => baseline('notice-server', `${folder}/notice.sock`),
        setter: ({ folder }) => baseline('notice-setter', `${folder}/notice.sock`, pauseMs),
        watcher: ({ folder }) => baseline('notice-watcher', `${folder}/notice.sock`, watchers),
      }),
      ...field.checkouts.map((checkout) => told(checkout.label, memsvcRoles(checkout, watchers, pauseMs))),
      ...peerContender(field, 'Redis SET + PUBLISH', REDIS, (peers, name) =>
        told(name, {
          pauseMs,
          server: (place) => redisServer(peers, place),
          setter: ({ folder }) => nodeProgram('redis-client', peers.folder('ioredis'), socketIn(folder), 4, pauseMs),
          watcher: ({ folder }) => nodeProgram('redis-watcher', peers.folder('ioredis'), socketIn(folder), watchers),
        }),
      ),
      ...peerContender(field, 'node:net JSON lines', [], (_, name) =>
        told(name, {
          pauseMs,
          server: (place) => nodeProgram('net-server', net(place), 'json'),
          setter: (place) => nodeProgram('net-client', net(place), 'json', pauseMs),
          watcher: (place) => nodeProgram('net-watcher', net(place), watchers),
        }),
      ),
    ],
  }
}

/** Nobody else may feel that a watcher does not take its notices. */
function stoppedGroup(field: Field): Group {
  return {
    name: 'beside a watcher that is stopped',
    pinning: 'split',
    base: field.checkouts[0]?.label ?? '',
    figures: ROUND_TRIP,
    contenders: field.checkouts.flatMap((checkout) => [
      told(checkout.label, memsvcRoles(checkout, 1, 1)),
      told(`${checkout.label}, another watcher stopped`, memsvcRoles(checkout, 1, 1), async (cast, place) => {
        const other = await cast.add(memsvcRoles(checkout, 1, 1).watcher(place), place.clientCpu)
        other.signal('SIGSTOP')
      }),
    ]),
  }
}

function memsvcRoles(checkout: Checkout, watchers: number, pauseMs: number): Roles {
  const { root } = checkout
  return {
    pauseMs,
    server: (place) => daemonOf(checkout, place),
    setter: ({ folder }) => nodeProgram('memsvc-client', root, registryIn(folder), pauseMs),
    watcher: ({ folder }) => nodeProgram('memsvc-watcher', root, registryIn(folder), watchers),
  }
}

type Prepare = (cast: Cast, place: Place) => Promise<void>

export function told(name: string, { server, setter, watcher, pauseMs }: Roles, prepare?: Prepare): Contender {
  return {
    name,
    open: async (place) => {
      const cast = await Cast.start([{ program: server(place), cpu: place.serverCpu }])
      const setting = await cast.add(setter(place), place.clientCpu)
      const watching = await cast.add(watcher(place), place.clientCpu)
      await prepare?.(cast, place)
      return {
        sample: (milliseconds) => sample(setting, watching, Math.max(milliseconds, MIN_CHANGES * pauseMs)),
        close: () => cast.close(),
      }
    },
  }
}

/** The watcher's. Both are awaited together: if one fails, the other is not left behind. */
async function sample(setter: RunningProgram, watcher: RunningProgram, milliseconds: number): Promise<Sample> {
  const set = async () => {
    await new Promise((resolve) => setTimeout(resolve, MARGIN_MS))
    await setter.sample('changes', milliseconds)
  }
  const [notices] = await Promise.all([watcher.sample('notices', milliseconds + 2 * MARGIN_MS), set()])
  return notices
}
