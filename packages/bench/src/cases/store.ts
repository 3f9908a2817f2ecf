/** The store: what a read, a put and a set of it cost, against a local Map and against the stores that people use. */
import { type Benchmark, type Contender, type Group, PER_OPERATION, ROUND_TRIP } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { daemonOf, type Field, nodeProgram, peer, registryIn, withDaemon } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { REDIS, redisServer, socketIn } from '../peers/redis.ts'

const DOCUMENTS = [
  ['331 B of JSON', 331],
  ['10 KiB of JSON', 10 * 1024],
] as const
const SIZES = [
  ['16 B', 16],
  ['256 B', 256],
  ['64 KiB', 64 * 1024],
] as const

export function storeGet(field: Field): Benchmark {
  return {
    name: 'store-get',
    title: 'A document of a store that another process owns',
    about:
      'Reads the same unchanged document again and again, by its key. The store returns one frozen object while the value is unchanged, and checks that each time. A `SharedArrayBuffer` has no keys and works only between the threads of one process: the program checks one word of it, and keeps the object that it made. `lmdb` with its cache does not check, so it returns a value that another process has replaced long ago. Without the cache, and from Redis, the text is parsed each time.',
    groups: DOCUMENTS.map(([name, bytes]) => documentGroup(field, name, bytes)),
  }
}

export function storeBytes(field: Field): Benchmark {
  return {
    name: 'store-bytes',
    title: 'Bytes of a store, copied into a buffer',
    about:
      'Reads by key, into a buffer of the caller. `lmdb` in a loop reads from one snapshot, which is its best case.',
    groups: SIZES.map(([name, bytes]) => bytesGroup(field, name, bytes)),
  }
}

export function storePut(field: Field): Benchmark {
  return {
    name: 'store-put',
    title: 'Putting bytes under a key that is there, by the owner',
    about: 'The time from the call of `set` until it returns the version. `lmdb` writes without waiting for the disk.',
    groups: SIZES.map(([name, bytes]) => putGroup(field, name, bytes)),
  }
}

export function storeSet(field: Field): Benchmark {
  return {
    name: 'store-set',
    title: 'Setting a number of a store, and waiting for the answer',
    about: 'One call at a time, with promises, compared with `setValue` of the daemon that serves both.',
    groups: [setGroup(field, 'two cores', 'split'), setGroup(field, 'one core', 'same'), keptGroup(field)],
  }
}

/** What it costs a client that all of it is on disk within a second. */
function keptGroup(field: Field): Group {
  return {
    name: 'kept on disk, written behind',
    pinning: 'split',
    base: 'without --state',
    figures: ROUND_TRIP,
    contenders: [
      ...reference(field, 'without --state', 16, 'set'),
      ...field.checkouts.map((checkout) =>
        contender(checkout.label, {
          servers: (place) => [daemonOf(checkout, place, '--state', `${place.folder}/state`)],
          client: ({ folder }) => nodeProgram('memsvc-store', checkout.root, registryIn(folder), 16),
          task: 'set',
        }),
      ),
    ],
  }
}

function client(field: Field, bytes: number, task: string): Contender[] {
  return withDaemon(field, task, ({ root }, { folder }) => nodeProgram('memsvc-store', root, registryIn(folder), bytes))
}

/** Of the last checkout only, under another name: what it is compared with. */
function reference(field: Field, name: string, bytes: number, task: string): Contender[] {
  const checkout = field.checkouts.at(-1)
  if (checkout === undefined) return []
  return [
    contender(name, {
      servers: (place) => [daemonOf(checkout, place)],
      client: ({ folder }) => nodeProgram('memsvc-store', checkout.root, registryIn(folder), bytes),
      task,
    }),
  ]
}

function documentGroup(field: Field, name: string, bytes: number): Group {
  const lmdb = (label: string, cached: string) =>
    peer(field, label, ['lmdb'], (peers) => ({
      client: ({ folder }) => nodeProgram('lmdb-documents', peers.folder('lmdb'), `${folder}/store`, bytes, cached),
      task: 'get',
    }))
  return {
    name,
    pinning: 'split',
    base: 'Map.get',
    figures: PER_OPERATION,
    contenders: [
      ...reference(field, 'Map.get', bytes, 'map'),
      ...client(field, bytes, 'get'),
      ...reference(field, 'entry.value', bytes, 'entry'),
      ...reference(field, 'SharedArrayBuffer, threads only', bytes, 'sab'),
      ...lmdb('lmdb get', ''),
      ...lmdb('lmdb get, cached and stale', 'cached'),
      ...peer(field, 'ioredis GET and parse', REDIS, (peers) => ({
        servers: (place) => [redisServer(peers, place)],
        client: ({ folder }) => nodeProgram('redis-documents', peers.folder('ioredis'), socketIn(folder), bytes),
        task: 'get',
      })),
    ],
  }
}

function bytesGroup(field: Field, name: string, bytes: number): Group {
  const lmdb = (task: string) =>
    peer(field, `lmdb ${task}`, ['lmdb'], (peers) => ({
      client: ({ folder }) => nodeProgram('lmdb-client', peers.folder('lmdb'), `${folder}/store`, bytes),
      task,
    }))
  return {
    name,
    pinning: 'split',
    base: 'a call into C++ that does nothing',
    figures: PER_OPERATION,
    contenders: [
      ...reference(field, 'a call into C++ that does nothing', bytes, 'empty-call'),
      ...client(field, bytes, 'read-bytes'),
      ...reference(field, 'SharedArrayBuffer, threads only', bytes, 'sab-bytes'),
      ...lmdb('getBinaryFast'),
      ...lmdb('getBinary'),
    ],
  }
}

function putGroup(field: Field, name: string, bytes: number): Group {
  return {
    name,
    pinning: 'split',
    base: 'C memcpy',
    figures: PER_OPERATION,
    contenders: [
      contender('C memcpy', { client: () => baseline('memory', bytes), task: 'copy' }),
      ...field.checkouts.map(({ label, root }) =>
        contender(label, { client: () => nodeProgram('memsvc-store', root, '-', bytes), task: 'put' }),
      ),
      ...peer(field, 'lmdb putSync', ['lmdb'], (peers) => ({
        client: ({ folder }) => nodeProgram('lmdb-documents', peers.folder('lmdb'), `${folder}/store`, bytes, ''),
        task: 'put',
      })),
    ],
  }
}

function setGroup(field: Field, name: string, pinning: 'split' | 'same'): Group {
  return {
    name,
    pinning,
    base: 'setValue',
    figures: ROUND_TRIP,
    contenders: [...reference(field, 'setValue', 16, 'set-value'), ...client(field, 16, 'set')],
  }
}
