import { setTimeout as delay } from 'node:timers/promises'
import { newRegistryPath } from '@memsvc/shared/test-support'
import { Child, shares } from './lib/child.mjs'
import { startDaemon } from './lib/daemon.mjs'

export const TITLE = 'watchers of prefixes of a store: each hears of its own only, and has the last value in the end'
/** `groups`: so many prefixes, each with one key that is set again and again. */
export const DEFAULTS = { watchers: 10_000, seconds: 20, processes: 2, groups: 100 }

const PATIENCE_MS = 60_000
const POLL_MS = 10

export async function run(scope, { watchers, seconds, processes, groups }) {
  const registry = newRegistryPath(scope)
  await startDaemon(scope, {}, { registry })
  const writer = new Child(scope, 'store-writer')
  await writer.ask('open', { registry, groups })
  const children = shares(watchers, processes).map((count) => ({ count, child: new Child(scope, 'store-watchers') }))
  const watching = await Promise.all(
    children.map(({ child, count }) => child.ask('watch', { registry, count, groups })),
  )
  await settled(children, watchers, 0)
  const last = await writer.ask('write', { seconds, groups })
  const begin = performance.now()
  const looks = await settled(children, watchers, last)
  const took = Math.round(performance.now() - begin)
  const notices = total(looks, 'notices')
  return [
    { what: 'watchers held', attempted: watchers, survived: total(watching, 'watching') },
    {
      what: 'watchers with the last value',
      attempted: watchers,
      survived: total(looks, 'reached'),
      note: `${took} ms after the last of ${(last * groups).toLocaleString('en-US')} sets in ${seconds} s`,
    },
    {
      what: 'changes told, each of the own prefix and in order',
      attempted: notices,
      survived: notices - total(looks, 'strangers') - total(looks, 'disorders'),
    },
  ]
}

/** What all have seen, once all have seen that value; or after a minute. */
async function settled(children, watchers, last) {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const looks = await Promise.all(children.map(({ child }) => child.ask('look', { last })))
    if (total(looks, 'reached') >= watchers || performance.now() > deadline) return looks
    await delay(POLL_MS)
  }
}

function total(answers, field) {
  return answers.reduce((sum, each) => sum + each[field], 0)
}
