import { setTimeout as delay } from 'node:timers/promises'
import { newRegistryPath } from '@memsvc/shared/test-support'
import { Child } from './lib/child.mjs'
import { startDaemon } from './lib/daemon.mjs'

export const TITLE =
  'readers of a store that moves from area to area all the time: nothing is missed, lost or older than before'
/** `readers`: processes, each of which reads in every way there is. */
export const DEFAULTS = { seconds: 60, readers: 3 }

export async function run(scope, { seconds, readers }) {
  const registry = newRegistryPath(scope)
  await startDaemon(scope, {}, { registry })
  const owner = new Child(scope, 'store-owner')
  await owner.ask('publish', { registry })
  const children = Array.from({ length: readers }, () => new Child(scope, 'store-reader'))
  await Promise.all(children.map((child) => child.ask('open', { registry })))
  const reading = children.map((child) => child.ask('read', { milliseconds: seconds * 1000 }))
  // Whatever comes of the owner first.
  for (const each of reading) each.catch(() => undefined)
  const moving = owner.ask('move', { milliseconds: seconds * 1000 })
  const { moves, last } = await moving
  await delay(100)
  const seen = await Promise.all(reading)
  const ends = await Promise.all(children.map((child) => child.ask('end', { last })))
  const reads = seen.reduce((sum, { reads }) => sum + reads, 0)
  const wrong = seen.flatMap(({ wrong }) => wrong)
  const told = seen.reduce((sum, { told }) => sum + told, 0)
  return [
    {
      what: 'reads of keys that are always there, and rise',
      attempted: reads,
      survived: reads - seen.reduce((sum, { wrongs }) => sum + wrongs, 0),
      note: [`${moves.toLocaleString('en-US')} moves beside them`, ...wrong.slice(0, 3)].join('; '),
    },
    {
      what: 'readers and watchers that have the last value in the end',
      attempted: readers,
      survived: ends.filter(Boolean).length,
      note: `${told.toLocaleString('en-US')} changes told`,
    },
  ]
}
