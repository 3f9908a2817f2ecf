import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newRegistryPath } from '@memsvc/shared/test-support'
import { Child } from './lib/child.mjs'
import { startDaemon } from './lib/daemon.mjs'

export const TITLE =
  'what one process has set, as the next get of another one sees it; and the control, a cache that is not asked'
/** `keys`: set in one go, before they are looked at. */
export const DEFAULTS = { sets: 1_000_000, keys: 1000, control: 10_000 }

export async function run(scope, { sets, keys, control }) {
  const registry = newRegistryPath(scope)
  await startDaemon(scope, {}, { registry })
  const seen = await compare(scope, { kind: 'store', place: registry, sets, keys })
  const folder = mkdtempSync(join(tmpdir(), 'store-fresh-'))
  scope.teardown(() => rmSync(folder, { recursive: true }))
  const stale = await compare(scope, { kind: 'lmdb', place: folder, sets: control, keys })
  return [
    { what: 'sets that the next get in another process has seen', attempted: seen.sets, survived: seen.fresh },
    {
      what: 'the control sees what is stale',
      attempted: 1,
      survived: Number(stale.fresh < stale.sets),
      note: `lmdb with \`cache\`: ${stale.fresh.toLocaleString('en-US')} of ${stale.sets.toLocaleString('en-US')} were seen`,
    },
  ]
}

async function compare(scope, { kind, place, sets, keys }) {
  const [writer, reader] = ['fresh-values', 'fresh-values'].map((name) => new Child(scope, name))
  await writer.ask('open', { kind, place })
  await writer.ask('set', { from: 0, count: keys, keys })
  await reader.ask('open', { kind, place })
  await reader.ask('look', { from: 0, count: keys, keys })
  let [at, fresh] = [keys, 0]
  for (; at < sets + keys; at += keys) {
    await writer.ask('set', { from: at, count: keys, keys })
    fresh += await reader.ask('look', { from: at, count: keys, keys })
  }
  return { sets: at - keys, fresh }
}
