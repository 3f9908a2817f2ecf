import { type Benchmark, type Contender, type Group, PER_OPERATION } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { type Checkout, type Field, nodeProgram, peer } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { REDIS, redisClient, redisServer } from '../peers/redis.ts'

const ATOMICS_LOAD = 'Atomics.load'
const C_MEMCPY = 'C memcpy'

const SIZES = [
  ['64 B', 64],
  ['1 KiB', 1024],
  ['64 KiB', 64 * 1024],
  ['1 MiB', 1024 * 1024],
] as const

export function read(field: Field): Benchmark {
  return {
    name: 'read',
    title: 'Reading a value that is mapped',
    about:
      'Uses the public API, with its checks: `readInt32BE` for the int, `readBytes` for the rest. memsvc reads without asking anybody; from Redis the value has to come over the socket. `shm-typed-array` reads without any protection: if the value changes during the read, you may get half of each. The empty call is `util.types.isExternal`.',
    groups: [intGroup(field), ...SIZES.map(([name, bytes]) => bytesGroup(field, name, bytes))],
  }
}

function intGroup(field: Field): Group {
  const [atomics, emptyCall] = ['atomics-load', 'empty-call'].map((task) =>
    reader(field.checkouts.at(-1) as Checkout, 4, task),
  ) as [Contender, Contender]
  return {
    name: 'the int',
    pinning: 'split',
    base: ATOMICS_LOAD,
    figures: PER_OPERATION,
    contenders: [
      { ...atomics, name: ATOMICS_LOAD },
      { ...emptyCall, name: 'a call into C++ that does nothing' },
      ...field.checkouts.map((checkout) => reader(checkout, 4, 'read-int')),
      ...peers(field, 4, 'read-int'),
    ],
  }
}

function bytesGroup(field: Field, name: string, bytes: number): Group {
  return {
    name,
    pinning: 'split',
    base: C_MEMCPY,
    figures: PER_OPERATION,
    contenders: [
      contender(C_MEMCPY, { client: () => baseline('memory', bytes), task: 'copy' }),
      ...field.checkouts.map((checkout) => reader(checkout, bytes, 'read-bytes')),
      ...peers(field, bytes, 'read-bytes'),
    ],
  }
}

function reader({ label, root }: Checkout, bytes: number, task: string): Contender {
  return contender(label, { client: () => nodeProgram('memsvc-reader', root, bytes), task })
}

function peers(field: Field, bytes: number, task: string): Contender[] {
  const lmdb = (task: string) =>
    peer(field, `lmdb ${task}`, ['lmdb'], (peers) => ({
      client: ({ folder }) => nodeProgram('lmdb-client', peers.folder('lmdb'), `${folder}/store`, bytes),
      task,
    }))
  const redis = peer(field, 'ioredis GET', REDIS, (peers) => ({
    servers: (place) => [redisServer(peers, place)],
    client: (place) => redisClient(peers, place, bytes),
    task: 'read',
  }))
  const shm = peer(field, 'shm-typed-array', ['shm-typed-array'], (peers) => ({
    client: () => nodeProgram('shm-typed-array', peers.folder('shm-typed-array'), bytes),
    task,
  }))
  return [...lmdb('getBinary'), ...lmdb('getBinaryFast'), ...shm, ...redis]
}
