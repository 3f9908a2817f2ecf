/** Reads of lmdb with many keys, each of 16 bytes, in no order. Words: FOLDER-OF-LMDB STORE KEYS. */
import { manyKeys, shuffled } from './documents.ts'
import { loadPeer } from './peer.ts'
import { serveSamples, timeLoop, verify } from './samples.ts'

interface Store {
  transactionSync(act: () => void): void
  put(key: string, value: Buffer): unknown
  getBinaryFast(key: string): Buffer | undefined
}

const [folder = '', path = '', count = ''] = process.argv.slice(2)
const lmdb = loadPeer<{ open(options: { path: string; encoding: 'binary'; noSync: boolean }): Store }>(folder, 'lmdb')
const store = lmdb.open({ path, encoding: 'binary', noSync: true })
const value = Buffer.alloc(16, 7)
const keys = manyKeys(Number(count))
store.transactionSync(() => {
  for (const key of keys) void store.put(key, value)
})
shuffled(keys)
verify(
  keys.every((key) => store.getBinaryFast(key)?.[0] === 7),
  'each key has its value',
)

let next = 0
function get(times: number): number {
  let sum = 0
  for (let left = times; left > 0; left--) {
    next = next + 1 === keys.length ? 0 : next + 1
    sum += store.getBinaryFast(keys[next] as string)?.[0] as number
  }
  return sum
}

await serveSamples({ get: (milliseconds) => timeLoop(milliseconds, get) })
