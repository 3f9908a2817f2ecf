/** The store at its size: very many keys, large values, watchers, and the start with what is on disk. */
import { mkdirSync, writeFileSync } from 'node:fs'
import {
  type Benchmark,
  type Contender,
  type Group,
  PER_OPERATION,
  type Place,
  ROUND_TRIP,
  type Sample,
} from '../harness/benchmark.ts'
import { Cast, contender } from '../harness/contender.ts'
import {
  type Checkout,
  daemonOf,
  type Field,
  longWarmUp,
  nodeProgram,
  peer,
  peerContender,
  registryIn,
  withDaemon,
} from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { type Program, RunningProgram } from '../harness/process.ts'
import { REDIS, redisServer, socketIn } from '../peers/redis.ts'
import { manyKeys } from '../programs/documents.ts'
import { loadShared } from '../programs/library.ts'
import { told } from './notice-latency.ts'

const KIB = 1024
const MIB = 1024 * KIB
const UPLOADS = 64
const NOTHING = 'a call into C++ that does nothing'
/** Of lmdb's files, in bytes. */
const VALUE_BYTES = 100
const EDITS = 256

export function storeKeys(field: Field): Benchmark {
  const count = field.isQuick ? 10_000 : 1_000_000
  return {
    name: 'store-keys',
    title: 'One of a million keys of another process, in no order',
    about:
      'Values of 16 bytes. A handle is the object that `AreaReader.key` of memfd-native returns; it reads into a buffer. `entry.value` and `get` return a copy. `lmdb` in a loop reads from one snapshot.',
    groups: [
      {
        name: '1,000,000 keys',
        pinning: 'split',
        base: NOTHING,
        figures: PER_OPERATION,
        rounds: 5,
        contenders: [
          ...field.checkouts.flatMap((checkout, i) =>
            many(checkout, count, { ...(i === 0 ? { ...OWN_TASKS, get: 'get' } : {}), [checkout.label]: 'read-bytes' }),
          ),
          ...peer(field, 'lmdb getBinaryFast', ['lmdb'], (peers) => ({
            client: ({ folder }) => nodeProgram('lmdb-many', peers.folder('lmdb'), `${folder}/store`, count),
            task: 'get',
          })),
        ],
      },
      {
        name: 'one key',
        pinning: 'split',
        base: NOTHING,
        figures: PER_OPERATION,
        contenders: field.checkouts.flatMap((checkout, i) =>
          many(checkout, 1, { ...(i === 0 ? OWN_TASKS : {}), [checkout.label]: 'read-bytes' }),
        ),
      },
    ],
  }
}

const OWN_TASKS = { [NOTHING]: 'empty-call', 'a handle': 'handle', 'entry.value': 'entry' }

/** Contenders that are tasks of one client: an owner of a million keys for each of them would be too much for the machine. */
function many(checkout: Checkout, count: number, tasks: Readonly<Record<string, string>>): Contender[] {
  const { root } = checkout
  let started: Promise<{ cast: Cast; client: RunningProgram }> | null = null
  let users = 0
  const start = async (place: Place) => {
    const cast = await Cast.start([
      { program: daemonOf(checkout, place, '--no-store'), cpu: place.serverCpu },
      { program: nodeProgram('memsvc-many-owner', root, registryIn(place.folder), count), cpu: place.serverCpu },
    ])
    const program = nodeProgram('memsvc-many', root, registryIn(place.folder), count)
    return { cast, client: await cast.add(program, place.clientCpu) }
  }
  const stop = async (): Promise<void> => {
    users -= 1
    if (users > 0) return
    const { cast } = (await started) as { cast: Cast }
    started = null
    await cast.close()
  }
  return Object.entries(tasks).map(([name, task]) => ({
    name,
    open: async (place) => {
      started ??= start(place)
      const { client } = await started
      users += 1
      return { sample: (milliseconds) => client.sample(task, milliseconds), close: stop }
    },
  }))
}

export function storeUpload(field: Field): Benchmark {
  return {
    name: 'store-upload',
    title: 'A value of 1 MiB from a client into the store',
    about:
      'The time from the call to the answer, one upload at a time. C sends packets of the same size, and its server receives them straight into a region. Beside 64 uploads, another process makes one call of `setValue` after the other.',
    groups: [
      {
        name: '1 MiB',
        pinning: 'split',
        base: 'C',
        figures: ROUND_TRIP,
        ...longWarmUp(field),
        contenders: [
          contender('C', {
            servers: ({ folder }) => [baseline('upload-server', `${folder}/upload.sock`, MIB)],
            client: ({ folder }) => baseline('upload-client', `${folder}/upload.sock`, MIB),
            task: 'upload',
          }),
          ...withDaemon(field, 'upload', ({ root }, { folder }) =>
            nodeProgram('memsvc-store', root, registryIn(folder), MIB),
          ),
        ],
      },
      canaryGroup(field),
    ],
  }
}

function canaryGroup(field: Field): Group {
  const [first] = field.checkouts
  return {
    name: `a call beside ${UPLOADS} uploads`,
    pinning: 'split',
    base: 'alone',
    figures: ROUND_TRIP,
    contenders: [
      ...(first === undefined ? [] : [besideUploads(first, 'alone', 0)]),
      ...field.checkouts.map((checkout) => besideUploads(checkout, checkout.label, UPLOADS)),
    ],
  }
}

function besideUploads(checkout: Checkout, name: string, uploads: number): Contender {
  const { root } = checkout
  return contender(name, {
    servers: (place) => [
      daemonOf(checkout, place),
      ...(uploads > 0 ? [nodeProgram('memsvc-uploader', root, registryIn(place.folder), uploads, MIB / 4)] : []),
    ],
    client: ({ folder }) => nodeProgram('memsvc-client', root, registryIn(folder)),
    task: 'set',
  })
}

export function storeNotice(field: Field): Benchmark {
  const pauseMs = 1
  return {
    name: 'store-notice',
    title: 'From a set of a key to its value in a third process',
    about:
      'One process sets the key to the time. Another process loops over `changes()` of the key. The daemon between them is on the other core. Redis: SET and PUBLISH at once, and the subscriber takes the value from the message.',
    groups: [
      {
        name: '1 watcher',
        pinning: 'split',
        base: baseOf(field, 'Redis SET + PUBLISH'),
        figures: ROUND_TRIP,
        ...longWarmUp(field),
        contenders: [
          ...redisNotices(field, pauseMs),
          ...field.checkouts.map((checkout) => {
            const { root } = checkout
            return told(checkout.label, {
              pauseMs,
              server: (place) => daemonOf(checkout, place),
              setter: ({ folder }) => nodeProgram('memsvc-store-setter', root, registryIn(folder), pauseMs),
              watcher: ({ folder }) => nodeProgram('memsvc-store-watcher', root, registryIn(folder), 1),
            })
          }),
        ],
      },
    ],
  }
}

/** Where only checkouts are compared, the first of them. */
function baseOf({ peers, checkouts }: Field, name: string): string {
  return peers === null ? (checkouts[0]?.label ?? '') : name
}

function redisNotices(field: Field, pauseMs: number): Contender[] {
  return peerContender(field, 'Redis SET + PUBLISH', REDIS, (peers, name) =>
    told(name, {
      pauseMs,
      server: (place) => redisServer(peers, place),
      setter: ({ folder }) => nodeProgram('redis-client', peers.folder('ioredis'), socketIn(folder), 4, pauseMs),
      watcher: ({ folder }) => nodeProgram('redis-watcher', peers.folder('ioredis'), socketIn(folder), 1),
    }),
  )
}

export function storeStart(field: Field): Benchmark {
  const count = field.isQuick ? 1000 : 100_000
  return {
    name: 'store-start',
    title: 'Starting with 100,000 keys that are on disk',
    about: `Values of ${VALUE_BYTES} bytes: the time from the start of the process until it reports that it serves. lmdb alone: a process that reads all of the same file.`,
    groups: [
      {
        name: 'until ready',
        pinning: 'split',
        base: baseOf(field, 'lmdb alone'),
        figures: [{ key: 'ms', unit: 'ms' }],
        rounds: 5,
        contenders: [
          ...peerContender(field, 'lmdb alone', ['lmdb'], (peers, name) =>
            starting(field, name, count, (_, { folder }) =>
              nodeProgram('lmdb-whole', peers.folder('lmdb'), `${folder}/state`, count),
            ),
          ),
          ...field.checkouts.map((checkout) =>
            starting({ ...field, checkouts: [checkout] }, checkout.label, count, keepingDaemon),
          ),
        ],
      },
    ],
  }
}

type Make = (checkout: Checkout, place: Place) => Program

function starting({ checkouts }: Field, name: string, count: number, program: Make): Contender {
  const [checkout] = checkouts as [Checkout]
  return {
    name,
    open: async (place) => {
      await fill(checkout, place, count)
      const start = async (): Promise<Sample> => {
        const before = performance.now()
        const running = await RunningProgram.start(program(checkout, place), place.serverCpu)
        const ms = performance.now() - before
        await running.stop()
        return { ms }
      }
      return { sample: start, close: async () => undefined }
    },
  }
}

/** Has a daemon write so many keys to disk, and ends it. */
async function fill(checkout: Checkout, place: Place, count: number): Promise<void> {
  const config = { stores: [{ name: 'SharedStore', capacity: '128 MiB', limits: { maxKeys: 200_000 } }] }
  mkdirSync(place.folder, { recursive: true })
  writeFileSync(configIn(place), JSON.stringify(config), { mode: 0o600 })
  const cast = await Cast.start([{ program: keepingDaemon(checkout, place), cpu: null }])
  const { SharedStore } = await loadShared(checkout.root)
  const store = await SharedStore.open('SharedStore', { path: registryIn(place.folder) })
  const value = 'x'.repeat(VALUE_BYTES - 2)
  const keys = manyKeys(count)
  for (let i = 0; i < count; i += EDITS) {
    await store.update(keys.slice(i, i + EDITS).map((key) => ({ key, value })))
  }
  store.close()
  await cast.close()
}

function keepingDaemon(checkout: Checkout, place: Place): Program {
  return daemonOf(checkout, place, '--config', configIn(place), '--state', `${place.folder}/state`)
}

function configIn({ folder }: Place): string {
  return `${folder}/memsvc.json`
}
