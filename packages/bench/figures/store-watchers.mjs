import { newRegistryPath } from '@memsvc/shared/test-support'
import { Child, shares } from './lib/child.mjs'
import { startDaemon } from './lib/daemon.mjs'
import { startWatching, total, untilReached } from './lib/watching.mjs'

export const TITLE = 'watchers of prefixes of a store: each hears of its own only, and has the last value in the end'
/** `groups`: so many prefixes, each with one key that is set again and again. */
export const DEFAULTS = { watchers: 10_000, seconds: 20, processes: 2, groups: 100 }

export async function run(scope, { watchers, seconds, processes, groups }) {
  const registry = newRegistryPath(scope)
  await startDaemon(scope, {}, { registry })
  const writer = new Child(scope, 'store-writer')
  await writer.ask('open', { registry, groups })
  const children = shares(watchers, processes).map((count) => ({ count, child: new Child(scope, 'store-watchers') }))
  const watching = await startWatching(children, { registry, groups })
  await untilReached(children, watchers, 0)
  const last = await writer.ask('write', { seconds, groups })
  const begin = performance.now()
  const looks = await untilReached(children, watchers, last)
  const took = Math.round(performance.now() - begin)
  const notices = total(looks, 'notices')
  return [
    { what: 'watchers held', attempted: watchers, survived: watching },
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
