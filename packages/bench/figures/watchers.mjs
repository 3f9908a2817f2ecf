import { memoryOf } from '../dist/src/harness/proc.js'
import { Child, shares } from './lib/child.mjs'
import { startDaemon } from './lib/daemon.mjs'
import { mebibytes } from './lib/numbers.mjs'
import { startWatching, total, untilReached } from './lib/watching.mjs'

export const TITLE = 'watchers of one hot value: everybody has the last value in the end'
export const DEFAULTS = { watchers: 10_000, seconds: 20, processes: 2 }

const OTHERS = 10

export async function run(scope, { watchers, seconds, processes }) {
  const limits = { 'max-channels': watchers + OTHERS, 'max-watchers': watchers + OTHERS, 'max-connections': 1000 }
  const { registry, program } = await startDaemon(scope, limits)
  const children = shares(watchers, processes).map((count) => ({ count, child: new Child(scope, 'watchers') }))
  const watching = await startWatching(children, { registry })
  const memory = memoryOf(program.pid).rss

  const last = await new Child(scope, 'writer').ask('write', { registry, seconds })
  const begin = performance.now()
  const looks = await untilReached(children, watchers, last)
  const settlingMs = performance.now() - begin
  const notices = total(looks, 'notices')

  return [
    { what: 'watchers held', attempted: watchers, survived: watching },
    {
      what: 'watchers with the last value',
      attempted: watchers,
      survived: total(looks, 'reached'),
      note: `${Math.round(settlingMs)} ms after the last of ${last.toLocaleString('en-US')} writes in ${seconds} s`,
    },
    {
      what: 'values watched, in their order',
      attempted: notices,
      survived: notices - total(looks, 'disorders'),
      note: `${mebibytes(memoryOf(program.pid).rss - memory)} of the daemon's memory`,
    },
  ]
}
