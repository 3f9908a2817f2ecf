import { setTimeout as delay } from 'node:timers/promises'
import { memoryOf } from '../dist/src/harness/proc.js'
import { Child, shares } from './lib/child.mjs'
import { CanaryProcess, startDaemon, valuesRead } from './lib/daemon.mjs'
import { mebibytes, ratio } from './lib/numbers.mjs'

export const TITLE = 'watchers that are stopped while the value changes: what they cost the daemon, and others'
export const DEFAULTS = { watchers: 1000, seconds: 20, processes: 10 }

const MAX_GROWTH = 32 * 2 ** 20
const POLL_MS = 10
/** Until everything is compiled, and what was sent before the stop has been dealt with. */
const WARM_UP_SECONDS = 5

export async function run(scope, { watchers, seconds, processes }) {
  const { registry, program } = await startDaemon(scope)
  const canary = new CanaryProcess(scope)
  await canary.start(registry)
  const children = shares(watchers, processes).map((count) => ({ count, child: new Child(scope, 'watchers') }))
  const watching = await Promise.all(children.map(({ child, count }) => child.ask('watch', { registry, count })))
  const memory = memoryOf(program.pid).rss
  for (const { child } of children) child.kill('SIGSTOP')
  await stretch(canary, WARM_UP_SECONDS)
  const stopped = await stretch(canary, seconds)
  const grown = memoryOf(program.pid).rss - memory

  for (const { child } of children) child.kill('SIGCONT')
  const reached = await settle(children, watchers)
  for (const { child } of children) child.kill('SIGKILL')
  await stretch(canary, WARM_UP_SECONDS)
  const idle = await stretch(canary, seconds)

  return [
    { what: 'watchers stopped', attempted: watchers, survived: watching.reduce((sum, each) => sum + each.watching, 0) },
    {
      what: `memory grown by less than ${mebibytes(MAX_GROWTH)}`,
      attempted: 1,
      survived: Number(grown < MAX_GROWTH),
      note: `${mebibytes(grown)} during ${stopped.rounds.toLocaleString('en-US')} writes and more`,
    },
    {
      ...valuesRead(stopped.rounds),
      note: `${stopped.text}; p99 is ${ratio(stopped.p99, idle.p99)} its p99 without them`,
    },
    { what: 'watchers with a newer value once they go on', attempted: watchers, survived: reached },
  ]
}

async function stretch(canary, seconds) {
  await canary.forget()
  await delay(seconds * 1000)
  return canary.look()
}

/** The canary goes on writing: each of them must hear of a change. */
async function settle(children, watchers) {
  const look = async () => await Promise.all(children.map(({ child }) => child.ask('look', { last: 0 })))
  const before = await look()
  for (let i = 0; i < 1000; i++) {
    await delay(POLL_MS)
    const now = await look()
    const news = now.reduce((sum, each, child) => sum + each.notices - before[child].notices, 0)
    if (news >= watchers) return watchers
  }
  return 0
}
