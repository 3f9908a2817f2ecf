import { memoryOf } from '../dist/src/harness/proc.js'
import { Child, shares } from './lib/child.mjs'
import { CanaryProcess, startDaemon, valuesRead } from './lib/daemon.mjs'
import { mebibytes, percentiles, ratio } from './lib/numbers.mjs'

export const TITLE = 'connections held at once, each of which calls once a second'
export const DEFAULTS = { connections: 10_000, seconds: 20, processes: 2 }

/** The canary's, the daemon's own, the idle one. */
const OTHERS = 10

export async function run(scope, { connections, seconds, processes }) {
  const { registry, program } = await startDaemon(scope, { 'max-connections': connections + OTHERS })
  const canary = new CanaryProcess(scope)
  await canary.start(registry)
  const idleCaller = new Child(scope, 'callers')
  await idleCaller.ask('connect', { registry, count: 1 })
  await callAlone(idleCaller, seconds) // everything is warm after that
  await canary.forget()
  const idle = await callAlone(idleCaller, seconds)
  const canaryIdle = await canary.look()
  const memory = memoryOf(program.pid).rss

  const callers = shares(connections, processes).map((count) => ({ count, child: new Child(scope, 'callers') }))
  const begin = performance.now()
  const held = await Promise.all(callers.map(({ child, count }) => child.ask('connect', { registry, count })))
  const connectingMs = performance.now() - begin
  await canary.forget()
  const calls = await Promise.all(callers.map(({ child }) => child.ask('callEverywhere', { seconds })))
  const busy = percentiles(calls.flatMap(({ durations }) => durations))
  const canaryBusy = await canary.look()
  const grown = memoryOf(program.pid).rss - memory

  return [
    {
      what: 'connections held',
      attempted: connections,
      survived: sum(held.map((each) => each.held)),
      note: `made in ${(connectingMs / 1000).toFixed(1)} s; ${mebibytes(grown)} of the daemon's memory`,
    },
    {
      what: 'calls answered',
      attempted: sum(calls.map(({ attempted }) => attempted)),
      survived: sum(calls.map(({ durations }) => durations.length)),
      note: `${busy.text}; p99 is ${ratio(busy.p99, idle.p99)} that of one connection alone`,
    },
    {
      ...valuesRead(canaryBusy.rounds),
      note: `${canaryBusy.text}; p99 is ${ratio(canaryBusy.p99, canaryIdle.p99)} its idle one`,
    },
  ]
}

async function callAlone(child, seconds) {
  return percentiles((await child.ask('callEverywhere', { seconds, perSecond: 100 })).durations)
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}
