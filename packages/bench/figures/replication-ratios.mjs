import { OwnedStore, ServiceManager, SharedStore } from '@memsvc/shared'
import { etcdClients, GO_CLIENT, timed } from './lib/etcd-clients.mjs'
import { bareCalls, echoes } from './lib/least.mjs'
import { loadReplication } from './lib/replication.mjs'

export const TITLE =
  'what a copy costs, against etcd itself: reads, changes, compare-and-set, the first copy of all keys'
/** `warm`: rounds of compare-and-set that do not count; V8 has compiled all of it after some thousands. */
export const DEFAULTS = { rounds: 300, warm: 3000, keys: 10_000 }

/** At most so many times what it is compared with. */
const TARGETS = { read: 1.1, p50: 1.25, p99: 1.5, compareAndSet: 1.2, sync: 2 }
const READS = 200_000
const AT_ONCE = 64
/** Of compare-and-set. */
const OWN_WAY = "the replicator's own way to etcd"
/** The least that there is of the two parts of a change by a replicator, in programs of Node.js that do nothing else. */
const BARE = 'a bare call over a socket'
const ECHO = 'a bare echo between two processes'
const PARTS = [OWN_WAY, BARE, ECHO]

export async function run(scope, { rounds, warm, keys }) {
  const support = await loadReplication()
  const { EtcdEngine, PREFIX, settingsOf, startCluster, startMachine } = support
  const cluster = await startCluster(scope, { nodes: 3 })
  const machines = [0, 1].map((i) => startMachine(scope, settingsOf(cluster.endpoints(i), { machine: `m${i}` })))
  const [a, b] = await Promise.all(machines)
  await Promise.all([a.replication.live, b.replication.live])
  // Asks the node that the machine beside it asks.
  const beside = new EtcdEngine({ endpoints: cluster.endpoints(1), prefix: PREFIX })
  scope.teardown(() => beside.close())
  const read = await readRatio(scope, a)
  const visible = await visibleRatios(scope, { a, b, beside, rounds, ...support })
  await Promise.all([a.end(), b.end()])
  const compareAndSet = await compareAndSetTimes(scope, { cluster, rounds, warm, ...support })
  const sync = await syncRatio(scope, { cluster, keys, ...support })
  return [
    row('a read of a copied value, against a local store', read, TARGETS.read),
    row("a put on A in B's memory, against etcd's watch on B, p50", visible.p50, TARGETS.p50),
    row('the same, p99', visible.p99, TARGETS.p99),
    ...compareAndSetRows(compareAndSet),
    row(`${keys} keys, from nothing to live, against reading them in pages`, sync, TARGETS.sync),
  ]
}

function row(what, ratio, target) {
  return {
    what: `${what} (at most ${target} times)`,
    attempted: 1,
    survived: ratio <= target ? 1 : 0,
    note: `${ratio.toFixed(2)} times`,
  }
}

/** @param times of each way, the replicator's first */
function compareAndSetRows(times) {
  const [[, ours], ...others] = times
  const rows = others
    .filter(([way]) => !PARTS.includes(way))
    .map(([way, time]) =>
      row(`compare-and-set by the replicator, against one by ${way}, p50`, ours / time, TARGETS.compareAndSet),
    )
  const least = times.get(BARE) + times.get(ECHO)
  const direct = [...times].filter(([way]) => way === GO_CLIENT)
  return [
    ...rows,
    { what: `the same, against one by ${OWN_WAY}`, note: `${(ours / times.get(OWN_WAY)).toFixed(2)} times` },
    ...direct.map(([way, time]) => ({
      what: `the least in Node.js (a bare call and a bare echo to another process), against one by ${way}`,
      note: `${(least / time).toFixed(2)} times`,
    })),
  ]
}

async function readRatio(scope, { store, registry }) {
  const owned = new OwnedStore()
  const manager = await ServiceManager.connect({ path: registry })
  await manager.addService('local', owned.binder)
  const local = await SharedStore.open('local', { path: registry })
  scope.teardown(() => {
    local.close()
    manager.close()
    owned.close()
  })
  owned.set('k', { a: 1 })
  await store.set('k', { a: 1 })
  const time = (from) => {
    const begin = performance.now()
    for (let i = 0; i < READS; i++) from.get('k')
    return performance.now() - begin
  }
  for (const each of [local, store]) time(each)
  return median(Array.from({ length: 15 }, () => 1 / (time(local) / time(store))))
}

/** Both seen in one process, by whom it comes first is chance. */
async function visibleRatios(scope, { a, b, beside, rounds, until }) {
  const times = { memory: [], watch: [] }
  let begin = 0
  b.replication.store.onChange = ({ key }) => {
    if (key === 'v') times.memory.push(performance.now() - begin)
  }
  const end = new AbortController()
  let isOpen = false
  const sink = {
    onOpen: () => {
      isOpen = true
    },
    onChanges: ({ changes }) => {
      for (const { key } of changes) if (key.toString() === 'v') times.watch.push(performance.now() - begin)
    },
  }
  const { revision } = await beside.look(Buffer.from('v'))
  beside.watch(revision + 1n, sink, end.signal).catch(() => undefined)
  scope.teardown(() => end.abort())
  await until(() => isOpen)
  for (let i = 1; i <= rounds; i++) {
    begin = performance.now()
    await a.store.set('v', i)
    await until(() => times.memory.length >= i && times.watch.length >= i)
  }
  end.abort()
  b.replication.store.onChange = null
  const at = (list, part) => list.sort((x, y) => x - y)[Math.floor((list.length - 1) * part)]
  return {
    p50: at(times.memory, 0.5) / at(times.watch, 0.5),
    p99: at(times.memory, 0.99) / at(times.watch, 0.99),
  }
}

/**
 * The replicator is a process of its own here, as it is where it is used. By turns with the ways that a program has without it, and with the
 * replicator's own way to etcd.
 */
async function compareAndSetTimes(scope, { cluster, rounds, warm, ...support }) {
  const { EtcdEngine, PREFIX, Replicator, TXN_RPC, base64, decodeTxn, encodeTxn, until } = support
  const endpoints = cluster.nodes.map(({ direct }) => direct)
  const { store } = await Replicator.start(scope, { endpoints })
  await until(() => store.status.state === 'live')
  const engine = new EtcdEngine({ endpoints, prefix: PREFIX })
  scope.teardown(() => engine.close())
  const ways = new Map([
    ['the replicator', byReplicator(store, await store.set('ours', 0))],
    ...Object.entries(etcdClients(scope, { endpoint: endpoints[0], prefix: PREFIX, base64 })),
    [OWN_WAY, byEngine(engine)],
    [BARE, byBareCalls(bareCalls(scope, endpoints[0], TXN_RPC), { PREFIX, decodeTxn, encodeTxn })],
    [ECHO, timed(await echoes(scope))],
  ])
  const order = [...ways.keys()]
  const times = new Map(order.map((way) => [way, []]))
  for (let i = 0; i < rounds + warm; i++) {
    for (const place of order.keys()) {
      const way = order[(i + place) % order.length]
      const took = await ways.get(way)(i)
      if (i >= warm) times.get(way).push(took)
    }
  }
  return new Map([...times].map(([way, list]) => [way, median(list)]))
}

function byReplicator(store, first) {
  let version = first
  return timed(async (i) => {
    version = await store.set('ours', i, { ifVersion: version })
  })
}

function byEngine(engine) {
  return byTransactions('same', async (transaction) => {
    const { isDone, revision } = await engine.commit(transaction, 5000)
    return isDone ? revision : null
  })
}

function byBareCalls(ask, { PREFIX, decodeTxn, encodeTxn }) {
  const keyOf = (key) => Buffer.concat([Buffer.from(PREFIX), key])
  return byTransactions('bare', async (transaction) => {
    const { succeeded, header } = decodeTxn(await ask(encodeTxn(transaction, keyOf)))
    return succeeded ? header.revision : null
  })
}

/** @param commit makes it, and resolves to its revision */
function byTransactions(name, commit) {
  const key = Buffer.from(name)
  let revision = 0n
  return timed(async (i) => {
    const edits = [{ key, value: Buffer.from(String(i)) }]
    revision = await commit({ conditions: [{ key, revision }], edits, wants: 'nothing' })
    if (revision === null) throw new Error('nobody else has put it')
  })
}

async function syncRatio(scope, { cluster, keys, base64, EtcdEngine, Replication, settingsOf }) {
  const names = Array.from({ length: keys }, (_, i) => `sync/${i}`)
  const put = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await cluster.askPatiently('/v3/kv/put', { key: base64(name), value: base64(JSON.stringify({ name })) })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, put))
  const engine = new EtcdEngine({ endpoints: cluster.endpoints(), prefix: 'sync/' })
  scope.teardown(() => engine.close())
  const ratios = []
  for (let i = 0; i < 5; i++) {
    const begin = performance.now()
    await readPages(engine)
    const middle = performance.now()
    const settings = settingsOf(cluster.endpoints(), { prefix: 'sync/', machine: `s${i}` })
    const replication = new Replication({ settings, mayWrite: () => true })
    replication.start()
    await replication.live
    ratios.push((performance.now() - middle) / (middle - begin))
    await replication.close()
  }
  return median(ratios)
}

async function readPages(engine) {
  for (let page, after = null; page?.isLast !== true; after = page.values.at(-1)?.key ?? after) {
    page = await engine.list(after, page?.revision ?? null, 500)
  }
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
