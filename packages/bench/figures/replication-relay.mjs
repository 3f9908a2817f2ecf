import { Child } from './lib/child.mjs'
import { mebibytes, percentiles } from './lib/numbers.mjs'
import { memoryOf, processorOf } from './lib/processor.mjs'
import { loadReplication } from './lib/replication.mjs'

export const TITLE =
  'a site of racks, simulated: etcd, a relay in each rack that watches it once, and machines that copy from their relay'
/** `machines`: of each relay. */
export const DEFAULTS = { relays: 2, machines: 40, changes: 300, bytes: 200 }

const KEYS = 100
const MIB = 1024 * 1024
/** Between two changes. Milliseconds. */
const PAUSE_MS = 10

export async function run(scope, { relays, machines, changes, bytes }) {
  const support = await loadReplication()
  const { PREFIX, base64, startCluster, until } = support
  const cluster = await startCluster(scope)
  const [node] = cluster.nodes
  const racks = await Promise.all(Array.from({ length: relays }, () => startRelay(scope, node.direct, base64(PREFIX))))
  const before = racks.map(({ pid }) => memoryOf(pid))
  const times = { direct: [], relayed: [], first: [] }
  let begin = 0
  let change = 0
  const start = (endpoint, name, list) => {
    const own = { machine: name, capacity: 4 * MIB, maxKeys: 1024 }
    const replication = new support.Replication({
      settings: support.settingsOf([endpoint], own),
      mayWrite: () => true,
    })
    scope.teardown(() => replication.close())
    replication.store.onChange = ({ key }) => {
      if (!key.startsWith('k')) return
      list.push(performance.now() - begin)
      if (list === times.relayed) times.first[change] ??= list.at(-1)
    }
    replication.start()
    return replication
  }
  const direct = start(node.direct, 'direct', times.direct)
  const copies = racks.flatMap(({ url }, rack) =>
    Array.from({ length: machines }, (_, i) => start(url, `r${rack}-${i}`, times.relayed)),
  )
  await Promise.all([direct, ...copies].map(({ live }) => live))
  const held = racks.map(({ pid }, i) => memoryOf(pid) - before[i])

  const used = () => ({
    etcd: processorOf(node.pid),
    relays: racks.reduce((sum, { pid }) => sum + processorOf(pid), 0),
  })
  const quiet = used()
  const quietAt = performance.now()
  await until(() => performance.now() - quietAt > 5000)
  const looked = used()
  for (let i = 1; i <= changes; i++) {
    change = i - 1
    begin = performance.now()
    await cluster.put(`${PREFIX}k${i % KEYS}`, JSON.stringify(String(i).padEnd(bytes - 2)))
    await until(() => times.direct.length >= i && times.relayed.length >= i * copies.length)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  const told = used()
  const there = await cluster.contents(PREFIX)
  there.delete('.pulse')
  const isRight = (copy) =>
    copy.store.stats.keys === there.size &&
    [...there].every(
      ([key, { value, revision }]) =>
        copy.revisionOf(key) === revision && JSON.stringify(copy.store.get(key)) === value.toString(),
    )
  const each = (seconds, count) => `${((seconds / count) * 1e6).toFixed(0)} µs`
  const [near, far] = [percentiles(times.direct), percentiles(times.first)]
  return [
    {
      what: `machines behind ${relays} relays that are what the cluster is, keys, values and revisions`,
      attempted: copies.length,
      survived: copies.filter(isRight).length,
      note: `${mebibytes(held.reduce((sum, bytes) => sum + bytes, 0) / copies.length)} of a relay's memory each`,
    },
    {
      what: `changes of ${bytes} bytes that came to each`,
      attempted: changes * copies.length,
      survived: times.relayed.length,
      note: `${each(told.relays - looked.relays, times.relayed.length)} of a relay's processor each; of etcd's ${each(told.etcd - looked.etcd, changes)} for each change, its own work included`,
    },
    {
      what: 'machines that stayed live',
      attempted: copies.length,
      survived: copies.filter(({ status }) => status.state === 'live').length,
      note: `while nothing happens, ${each((looked.relays - quiet.relays) / 5, copies.length)} a second of a relay's processor each; of etcd's ${each((looked.etcd - quiet.etcd) / 5, relays)} for each relay, its own work included`,
    },
    {
      what: 'from the put to the first copy behind a relay',
      attempted: 1,
      survived: 1,
      note: `${(far.p50 / near.p50).toFixed(2)} times that of a machine without (p50), ${(far.p99 / near.p99).toFixed(2)} times (p99)`,
    },
  ]
}

async function startRelay(scope, endpoint, prefix) {
  const relay = new Child(scope, 'relay')
  const key = { key: prefix, range_end: endOf(prefix), start_revision: '2' }
  const { port, pid } = await relay.ask('serve', { endpoint, create: { create_request: key } })
  return { url: `http://127.0.0.1:${port}`, pid }
}

/** The key after all that begin so. */
function endOf(prefix) {
  const bytes = Buffer.from(prefix, 'base64')
  bytes[bytes.length - 1] += 1
  return bytes.toString('base64')
}
