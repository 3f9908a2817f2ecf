import { setTimeout as delay } from 'node:timers/promises'
import { memoryOf } from '../dist/src/harness/proc.js'
import { Child, shares } from './lib/child.mjs'
import { startDaemon } from './lib/daemon.mjs'
import { mebibytes } from './lib/numbers.mjs'

export const TITLE = 'watchers of one hot value: everybody has the last value in the end'
export const DEFAULTS = { watchers: 10_000, seconds: 20, processes: 2 }

const OTHERS = 10
const PATIENCE_MS = 60_000
const POLL_MS = 10

export async function run(scope, { watchers, seconds, processes }) {
  const limits = { 'max-channels': watchers + OTHERS, 'max-watchers': watchers + OTHERS, 'max-connections': 1000 }
  const { registry, program } = await startDaemon(scope, limits)
  const children = shares(watchers, processes).map((count) => ({ count, child: new Child(scope, 'watchers') }))
  const watching = await Promise.all(children.map(({ child, count }) => child.ask('watch', { registry, count })))
  const memory = memoryOf(program.pid).rss

  const last = await new Child(scope, 'writer').ask('write', { registry, seconds })
  const begin = performance.now()
  let looks = await lookAll(children, last)
  while (total(looks, 'reached') < watchers && performance.now() - begin < PATIENCE_MS) {
    await delay(POLL_MS)
    looks = await lookAll(children, last)
  }
  const settlingMs = performance.now() - begin
  const notices = total(looks, 'notices')

  return [
    { what: 'watchers held', attempted: watchers, survived: total(watching, 'watching') },
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

function lookAll(children, last) {
  return Promise.all(children.map(({ child }) => child.ask('look', { last })))
}

function total(answers, field) {
  return answers.reduce((sum, each) => sum + each[field], 0)
}
