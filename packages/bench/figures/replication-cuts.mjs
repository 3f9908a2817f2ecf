import { setTimeout as delay } from 'node:timers/promises'
import { percentiles } from './lib/numbers.mjs'
import { Progress } from './lib/progress.mjs'
import { loadReplication } from './lib/replication.mjs'
import { Scope } from './lib/scope.mjs'

export const TITLE =
  'cables that are pulled and plugged in again: when a machine is told that it is stale, and when it is live again, with all that it has missed'
/** `milliseconds`: the longest that a cable stays out once the machine is stale. `each`: of one cluster. */
export const DEFAULTS = { cuts: 200, machines: 4, each: 20, milliseconds: 5000 }

const STALE_MS = 5000
const LIVE_MS = 10_000
const LOOK_MS = 10

export async function run(_scope, options) {
  const progress = new Progress('replication-cuts', options)
  const times = progress.of('times', { stale: [], live: [] })
  while (times.stale.length < options.cuts) {
    const count = Math.min(options.each, options.cuts - times.stale.length)
    const more = await cutSome({ ...options, cuts: count })
    times.stale.push(...more.stale)
    times.live.push(...more.live)
    progress.save('times', times)
    if (process.stderr.isTTY) process.stderr.write(`\r${times.stale.length} of ${options.cuts}`)
  }
  progress.end()
  return [
    row(`stale is told within ${STALE_MS / 1000} s of a cut`, times.stale, STALE_MS),
    row(`live again, with all that it has missed, within ${LIVE_MS / 1000} s of its healing`, times.live, LIVE_MS),
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

async function cutSome(options) {
  const scope = new Scope()
  try {
    return await cutMachines(scope, options)
  } finally {
    await scope.end()
  }
}

async function cutMachines(scope, { cuts, machines, milliseconds }) {
  const support = await loadReplication()
  const cluster = await support.startCluster(scope, { nodes: 3 })
  const times = { stale: [], live: [] }
  const work = Array.from({ length: machines }, async (_, i) => {
    const cables = await cluster.cables(scope, i % 3)
    const settings = support.settingsOf(cables.endpoints, { machine: `m${i}` })
    const { store } = await support.startMachine(scope, settings)
    await until(() => store.status.state === 'live')
    while (times.stale.length < cuts) await cutOnce({ cables, store, cluster, times, i, milliseconds })
  })
  await Promise.all(work)
  return times
}

async function cutOnce({ cables, store, cluster, times, i, milliseconds }) {
  await delay(Math.random() * 2000)
  cables.pull()
  const pulledAt = performance.now()
  await until(() => store.status.state === 'stale')
  times.stale.push(performance.now() - pulledAt)
  await delay(Math.random() * milliseconds)
  const missed = `${Math.random()}`
  await cluster.put(`test/m${i}`, JSON.stringify(missed))
  cables.plugIn()
  const healedAt = performance.now()
  await until(() => store.status.state === 'live' && store.get(`m${i}`) === missed)
  times.live.push(performance.now() - healedAt)
}

async function until(isSo) {
  while (!isSo()) await delay(LOOK_MS)
}
