/** What memsvc has set itself: bounds on ratios within one group, as data. verdicts.ts judges by the medians. */

/** A contender's figure. */
export interface Operand {
  readonly contender: string
  readonly figure: string
}

export interface Target {
  /** As T1: several may share one. */
  readonly id: string
  readonly claim: string
  readonly benchmark: string
  readonly group: string
  readonly of: Operand
  /** The ratio is `of` / `to`; without it `of` itself is bounded. */
  readonly to?: Operand
  readonly bound: { readonly atMost: number } | { readonly atLeast: number }
}

/** A benchmark and its group. */
type At = readonly [string, string]

/** A contender, and the figure by which it is compared. */
type Against = readonly [contender: string, figure: string]

/** Lower is better: memsvc against the machine's limit. */
function within(id: string, claim: string, at: At, [limit, figure]: Against, atMost: number): Target {
  const [benchmark, group] = at
  const of = { contender: 'memsvc', figure }
  return { id, claim, benchmark, group, of, to: { contender: limit, figure }, bound: { atMost } }
}

/** Times are better when lower, rates when higher: how many times better memsvc is than a peer. */
function ahead(id: string, claim: string, at: At, [rival, figure]: Against, atLeast: number): Target {
  const [benchmark, group] = at
  const [own, other] = [
    { contender: 'memsvc', figure },
    { contender: rival, figure },
  ]
  const isRate = figure === 'rate'
  return { id, claim, benchmark, group, of: isRate ? own : other, to: isRate ? other : own, bound: { atLeast } }
}

/** A figure of ours that stands for itself. */
function bounded(id: string, claim: string, at: At, figure: string, atMost: number): Target {
  const [benchmark, group] = at
  return { id, claim, benchmark, group, of: { contender: 'memsvc', figure }, bound: { atMost } }
}

const TWO_CORES = ['set-value-round-trip', 'two cores'] as const
const ONE_CORE = ['set-value-round-trip', 'one core'] as const
const PIPELINED = ['set-value-pipelined', 'two cores'] as const
const PIPELINED_ON_ONE = ['set-value-pipelined', 'one core'] as const
const KIB = 1024
const OWN = { contender: 'memsvc', figure: 'p50' }
const OWN_P99 = { contender: 'memsvc', figure: 'p99' }

const MILLION = '1,000,000 keys'
const NO_CALL = 'a call into C++ that does nothing'
const DOCUMENTS = ['331 B of JSON', '10 KiB of JSON']

export const TARGETS: readonly Target[] = [
  within('T1', 'setValue on two cores, against C', TWO_CORES, ['C echo', 'p50'], 1.5),
  within('T1', 'setValue on one core, against C', ONE_CORE, ['C echo', 'p50'], 2.3),
  ...[TWO_CORES, ONE_CORE].map(([benchmark, group]) => ({
    id: 'T1',
    claim: `p99 of setValue against its own p50, ${group}`,
    benchmark,
    group,
    of: OWN_P99,
    to: OWN,
    bound: { atMost: 2 },
  })),
  ahead('T2', 'setValue ahead of node:net on two cores', TWO_CORES, ['node:net binary', 'p50'], 1.25),
  ahead('T2', 'setValue ahead of node:net on one core', ONE_CORE, ['node:net binary', 'p50'], 1.4),
  ahead('T2', 'setValue ahead of ioredis SET', TWO_CORES, ['ioredis SET', 'p50'], 1.7),
  ahead('T2', 'setValue ahead of a dbus-next call', TWO_CORES, ['dbus-next call', 'p50'], 9),
  ...[PIPELINED, PIPELINED_ON_ONE].flatMap((at) => [
    ahead(
      'T3',
      `64 in flight ahead of C with one message a packet, ${at[1]}`,
      at,
      ['C, one message a packet', 'rate'],
      2.5,
    ),
    ahead(
      'T3',
      `64 in flight ahead of an equally packed node:net, ${at[1]}`,
      at,
      ['node:net binary, packed', 'rate'],
      1.6,
    ),
    ahead('T3', `64 in flight ahead of ioredis pipelined, ${at[1]}`, at, ['ioredis SET, pipelined', 'rate'], 10),
  ]),
  ahead(
    'T4',
    '100 connections, against a C epoll server',
    ['many-connections', '100 connections'],
    ['C epoll server', 'rate'],
    0.9,
  ),
  ahead(
    'T4',
    '1,000 connections, against a C epoll server',
    ['many-connections', '1000 connections'],
    ['C epoll server', 'rate'],
    0.9,
  ),
  ahead(
    'T4',
    '100 connections, ahead of node:net',
    ['many-connections', '100 connections'],
    ['node:net server', 'rate'],
    3.3,
  ),
  ahead(
    'T4',
    '1,000 connections, ahead of node:net',
    ['many-connections', '1000 connections'],
    ['node:net server', 'rate'],
    4,
  ),
  within('T5', 'reading the int, against an Atomics.load', ['read', 'the int'], ['Atomics.load', 'ns'], 2),
  ahead('T5', 'reading the int, ahead of lmdb getBinary', ['read', 'the int'], ['lmdb getBinary', 'ns'], 10),
  ahead('T5', 'reading the int, ahead of ioredis GET', ['read', 'the int'], ['ioredis GET', 'ns'], 400),
  ahead('T6', 'readBytes of 1 KiB, ahead of lmdb getBinary', ['read', '1 KiB'], ['lmdb getBinary', 'ns'], 6),
  ahead('T6', 'readBytes of 1 KiB, ahead of lmdb getBinaryFast', ['read', '1 KiB'], ['lmdb getBinaryFast', 'ns'], 2.3),
  within('T6', 'readBytes of 64 KiB, against memcpy', ['read', '64 KiB'], ['C memcpy', 'ns'], 1.05),
  within('T6', 'readBytes of 1 MiB, against memcpy', ['read', '1 MiB'], ['C memcpy', 'ns'], 1.05),
  within('T7', 'attaching, registry included, against C without one', ['attach', 'two cores'], ['C attach', 'p50'], 3),
  ahead(
    'T7',
    'attaching, ahead of ioredis connect + GET',
    ['attach', 'two cores'],
    ['ioredis connect + GET', 'p50'],
    10,
  ),
  within('T8', '`memclient read`, whole process', ['process-read', 'start to end'], ['node -e 0', 'p50'], 1.15),
  within(
    'T9',
    'a change noticed and read by a third process, against Redis',
    ['notice-latency', '1 watcher'],
    ['Redis SET + PUBLISH', 'p50'],
    0.65,
  ),
  ...[100, 1000].map((sockets) => ({
    id: 'T10',
    claim: `telling ${sockets} watchers by one native call, against sends from JavaScript`,
    benchmark: 'fan-out',
    group: `${sockets} sockets`,
    of: { contender: 'one native call', figure: 'p50' },
    to: { contender: 'sends from JavaScript', figure: 'p50' },
    bound: { atMost: 0.7 },
  })),
  {
    id: 'T10',
    claim: 'p99 of a notice beside a stopped watcher, against none (noise: 20 %)',
    benchmark: 'notice-latency',
    group: 'beside a watcher that is stopped',
    of: { contender: 'memsvc, another watcher stopped', figure: 'p99' },
    to: OWN_P99,
    bound: { atMost: 1.2 },
  },
  bounded(
    'T11',
    'resident memory of the daemon per idle connection',
    ['idle-connections', 'resident memory of the server'],
    'bytes',
    8 * KIB,
  ),
  ...['1 process', '10 processes', '50 processes'].map((group) =>
    bounded(
      'T11',
      `memory of a client beyond bare Node and its share, ${group}`,
      ['shared-memory', group],
      'beyond',
      1536 * KIB,
    ),
  ),
  ...[10, 50].map((readers) => ({
    id: 'T12',
    claim: `a write with ${readers} mapped readers, against none (noise: 10 %)`,
    benchmark: 'write-cost',
    group: 'memsvc',
    of: { contender: `${readers} readers`, figure: 'p50' },
    to: { contender: '0 readers', figure: 'p50' },
    bound: { atMost: 1.1 },
  })),
  within('T13', 'close() of 4 KiB, against munmap and close in C', ['close', '4 KiB'], ['C', 'p50'], 3),
  within('T13', 'close() of 1 MiB, against munmap and close in C', ['close', '1 MiB'], ['C', 'p50'], 3),
  ...['descriptors', 'mappings', 'descriptors of the daemon'].map((figure) =>
    bounded(
      'T13',
      `${figure} left after attaching and closing over and over`,
      ['close', 'attach and close, over and over'],
      figure,
      0,
    ),
  ),
  ...DOCUMENTS.flatMap((group): Target[] => [
    within('S1', `a cached get against Map.get, ${group}`, ['store-get', group], ['Map.get', 'ns'], 4),
    {
      ...within('S1', `entry.value against Map.get, ${group}`, ['store-get', group], ['Map.get', 'ns'], 1.5),
      of: { contender: 'entry.value', figure: 'ns' },
    },
  ]),
  ahead('S2', 'a cached get ahead of lmdb get, 331 B', ['store-get', '331 B of JSON'], ['lmdb get', 'ns'], 40),
  ahead('S2', 'a cached get ahead of lmdb get, 10 KiB', ['store-get', '10 KiB of JSON'], ['lmdb get', 'ns'], 800),
  ahead(
    'S2',
    'a cached get ahead of ioredis GET and parse, 10 KiB',
    ['store-get', '10 KiB of JSON'],
    ['ioredis GET and parse', 'ns'],
    4000,
  ),
  ...['16 B', '256 B'].flatMap((group): Target[] => [
    ahead('S4', `readBytes ahead of getBinaryFast, ${group}`, ['store-bytes', group], ['lmdb getBinaryFast', 'ns'], 4),
    ahead('S4', `readBytes ahead of getBinary, ${group}`, ['store-bytes', group], ['lmdb getBinary', 'ns'], 8),
    ahead('S6', `a put ahead of lmdb putSync, ${group}`, ['store-put', group], ['lmdb putSync', 'ns'], 50),
  ]),
  ahead('S4', 'readBytes ahead of getBinaryFast, 64 KiB', ['store-bytes', '64 KiB'], ['lmdb getBinaryFast', 'ns'], 1.2),
  ahead('S4', 'readBytes ahead of getBinary, 64 KiB', ['store-bytes', '64 KiB'], ['lmdb getBinary', 'ns'], 8),
  within('S6', 'a put of 64 KiB against memcpy', ['store-put', '64 KiB'], ['C memcpy', 'ns'], 1.3),
  ...['two cores', 'one core'].map((group) =>
    within('S6', `set of a client against setValue, ${group}`, ['store-set', group], ['setValue', 'p50'], 1.3),
  ),
  {
    ...within('S5', 'a handle of 16 B against an empty native call', ['store-keys', 'one key'], [NO_CALL, 'ns'], 4),
    of: { contender: 'a handle', figure: 'ns' },
  },
  within('S5', '1,000,000 keys, by key against by handle', ['store-keys', MILLION], ['a handle', 'ns'], 2.5),
  ahead('S5', '1,000,000 keys, ahead of getBinaryFast', ['store-keys', MILLION], ['lmdb getBinaryFast', 'ns'], 1.3),
  within('S10', 'an upload of 1 MiB against C', ['store-upload', '1 MiB'], ['C', 'p50'], 2),
  within('S10', 'p99 of a call beside 64 uploads', ['store-upload', 'a call beside 64 uploads'], ['alone', 'p99'], 10),
  within(
    'S11',
    'a set noticed and read by a third process, against Redis',
    ['store-notice', '1 watcher'],
    ['Redis SET + PUBLISH', 'p50'],
    1.1,
  ),
  within('S12', '`memclient get`, whole process', ['process-read', 'a key of a store'], ['node -e 0', 'p50'], 1.2),
  within(
    'S12',
    'a set that is written to disk behind, against none',
    ['store-set', 'kept on disk, written behind'],
    ['without --state', 'p50'],
    1.3,
  ),
  within(
    'S12',
    'starting with 100,000 keys, against reading them by lmdb',
    ['store-start', 'until ready'],
    ['lmdb alone', 'ms'],
    3,
  ),
]
