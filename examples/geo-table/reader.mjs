/** Looks up addresses in the table, without a copy of it; with `copy`, in a copy, to compare. Says how much memory that takes. */
import { readFileSync } from 'node:fs'
import { errorCode, SharedStore } from '@memsvc/shared'
import { lookUp, placeOf, RECORD_BYTES } from './table.mjs'

const [mode, lookUps] = process.argv.slice(2)
const store = await SharedStore.open('geo')
const table = store.entry('table')
const record = new Uint32Array(RECORD_BYTES / 4)
const bytes = new Uint8Array(record.buffer)

process.once('message', () => {
  const copy = mode === 'copy' ? store.getBytes('table') : null
  const result = { wrong: 0, again: 0, editions: [] }
  for (let i = 0; i < Number(lookUps); i++) {
    const address = Math.floor(Math.random() * 2 ** 32)
    const { first, place, edition } = copy === null ? inMemory(address, result) : inCopy(address, copy)
    if (first > address || place !== placeOf(first)) result.wrong += 1
    if (!result.editions.includes(edition)) result.editions.push(edition)
  }
  process.send({ ...result, ...memory(), copied: copy?.length ?? 0 })
})
process.once('disconnect', () => process.exit())
process.send('ready')

/** All records of one edition: where the table is replaced in the middle of it, it begins again. */
function inMemory(address, result) {
  for (;;) {
    const { version } = table
    const readAt = (position) => store.readBytes('table', bytes, { position, version })
    try {
      return lookUp(address, table.byteLength / RECORD_BYTES, { record, readAt })
    } catch (error) {
      if (errorCode(error) !== 'ERR_CONFLICT') throw error
      result.again += 1
    }
  }
}

function inCopy(address, copy) {
  const readAt = (position) => bytes.set(copy.subarray(position, position + RECORD_BYTES))
  return lookUp(address, copy.length / RECORD_BYTES, { record, readAt })
}

/** In kB, as proc_pid_smaps(5) counts: PSS is a process' share of what it has together with others. */
function memory() {
  const text = readFileSync('/proc/self/smaps_rollup', 'utf8')
  const of = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1])
  return { rss: of('Rss'), pss: of('Pss') }
}
