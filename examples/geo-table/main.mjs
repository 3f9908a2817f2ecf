/** One table of 100 MiB, read by 8 processes without a copy: `node main.mjs [--mib 100] [--readers 8]`. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { OwnedStore, ServiceManager } from '@memsvc/shared'
import { ensureDaemon } from '../support/daemon.mjs'
import { makeTable } from './table.mjs'

const MIB = 1024 * 1024
const { values: options } = parseArgs({
  options: {
    mib: { type: 'string', default: '100' },
    readers: { type: 'string', default: '8' },
    'look-ups': { type: 'string', default: '20000' },
  },
})
const tableBytes = Number(options.mib) * MIB

const endDaemon = await ensureDaemon() // for its registry
// A value may have 16 MiB, and a store 64, unless its owner says more. An old table stays until the new one is there: twice the room.
const store = new OwnedStore({ maxValueBytes: tableBytes, capacity: 3 * tableBytes + 8 * MIB })
const manager = await ServiceManager.connect()
await manager.addService('geo', store.binder)
store.set('table', makeTable(tableBytes, 1))

console.log(`a table of ${options.mib} MiB, ${options.readers} readers, ${options['look-ups']} look-ups each`)
const shared = await measure('shared', () => store.set('table', makeTable(tableBytes, 2)))
const copied = await measure('copy', () => undefined)
console.log(`all copies together take ${(copied / shared).toFixed(1)} times as much`)
manager.close()
store.close()
endDaemon()
process.exit()

/** Has the readers look up, and `meanwhile` happen. @returns what all of them take, in kB */
async function measure(mode, meanwhile) {
  const readers = Array.from({ length: Number(options.readers) }, () => startReader(mode))
  await Promise.all(readers.map((reader) => once(reader, 'message')))
  const results = Promise.all(readers.map((reader) => once(reader, 'message')))
  for (const reader of readers) reader.send('go')
  meanwhile()
  const answers = (await results).map(([answer]) => answer)
  for (const reader of readers) reader.disconnect()
  const sum = (field) => answers.reduce((total, answer) => total + answer[field], 0)
  const mib = (kb) => `${(kb / 1024).toFixed(0)} MiB`
  const each = (field) => mib(sum(field) / answers.length)
  console.log(`${mode}: RSS ${each('rss')} each, PSS ${each('pss')} each, ${mib(sum('pss'))} in all`)
  console.log(`  ${sum('wrong')} wrong answers, ${sum('again')} look-ups begun again because the table was replaced`)
  if (sum('wrong') > 0) process.exitCode = 1
  return sum('pss')
}

function startReader(mode) {
  return fork(new URL('reader.mjs', import.meta.url), [mode, options['look-ups']])
}
