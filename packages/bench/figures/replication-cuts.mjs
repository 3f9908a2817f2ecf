import { setTimeout as delay } from 'node:timers/promises'
import { percentiles } from './lib/numbers.mjs'
import { Progress } from './lib/progress.mjs'
import { loadReplication } from './lib/replication.mjs'
import { Scope } from './lib/scope.mjs'

export const TITLE =
  'cables that are pulled and plugged in again: when a machine is told that it is stale, and when it is live again, with all that it has missed'
/**
 * `milliseconds`: the longest that a cable stays out once the machine is stale. `each`: of one cluster. Half of the machines have proxies that stop
 * forwarding; the others, where root may, network namespaces whose packets vanish.
 */
export const DEFAULTS = { cuts: 200, machines: 4, each: 40, milliseconds: 5000 }

const STALE_MS = 5000
const LIVE_MS = 10_000
const LOOK_MS = 10

export async function run(_scope, options) {
  const progress = new Progress('replication-cuts', options)
  const times = progress.of('times', { cuts: 0, proxies: { stale: [], live: [] }, networks: { stale: [], live: [] } })
  while (times.cuts < options.cuts) {
    await cutSome(times, options)
    progress.save('times', times)
    if (process.stderr.isTTY) process.stderr.write(`\r${times.cuts} of ${options.cuts}`)
  }
  progress.end()
  return [...rows('proxies', times.proxies), ...rows('networks', times.networks)]
}

function rows(kind, { stale, live }) {
  if (stale.length === 0) return []
  return [
    row(`${kind}: stale is told within ${STALE_MS / 1000} s of a cut`, stale, STALE_MS),
    row(`${kind}: live again, with all that it has missed, within ${LIVE_MS / 1000} s of its healing`, live, LIVE_MS),
  ]
}

function row(what, durations, limit) {
  return {
    what,
    attempted: durations.length,
    survived: durations.filter((duration) => duration <= limit).length,
    note: percentiles(durations).text,
  }
}

async function cutSome(times, options) {
  const scope = new Scope()
  try {
    await cutMachines(scope, times, options)
  } finally {
    await scope.end()
  }
}

async function cutMachines(scope, times, { machines, each, milliseconds }) {
  const support = await loadReplication()
  const isReal = support.noNetworks() === false
  const networks = isReal ? Array.from({ length: machines / 2 }, () => support.Network.lay(scope)) : []
  const addresses = networks.map(({ address }) => address)
  const cluster = await support.startCluster(scope, { nodes: 3, addresses })
  const work = Array.from({ length: machines }, async (_, i) => {
    const network = networks[i]
    const [cable, store] = await (network === undefined
      ? byProxies(scope, cluster, { i, ...support })
      : byNetwork(scope, cluster, { i, network, ...support }))
    await until(() => store.status.state === 'live')
    const { stale, live } = network === undefined ? times.proxies : times.networks
    for (let cut = 0; cut < each / machines; cut++) {
      await cutOnce({ cable, store, cluster, stale, live, i, milliseconds })
      times.cuts += 1
    }
  })
  await Promise.all(work)
}

async function byProxies(scope, cluster, { i, settingsOf, startMachine }) {
  const cables = await cluster.cables(scope, i % 3)
  const { store } = await startMachine(scope, settingsOf(cables.endpoints, { machine: `m${i}` }))
  return [cables, store]
}

async function byNetwork(scope, cluster, { i, network, Replicator }) {
  const endpoints = cluster.nodes.map((node) => node.urlAt(network.address))
  const { store } = await Replicator.start(scope, { endpoints, prefix: network.prefix, machine: `m${i}` })
  return [network, store]
}

async function cutOnce({ cable, store, cluster, stale, live, i, milliseconds }) {
  await delay(Math.random() * 2000)
  cable.pull()
  const pulledAt = performance.now()
  await until(() => store.status.state === 'stale')
  stale.push(performance.now() - pulledAt)
  await delay(Math.random() * milliseconds)
  const missed = `${Math.random()}`
  await cluster.put(`test/m${i}`, JSON.stringify(missed))
  cable.plugIn()
  const healedAt = performance.now()
  await until(() => store.status.state === 'live' && store.get(`m${i}`) === missed)
  live.push(performance.now() - healedAt)
}

async function until(isSo) {
  while (!isSo()) await delay(LOOK_MS)
}
