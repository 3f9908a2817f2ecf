/** Reads all of the state that a daemon has written, and ends. Words: FOLDER-OF-LMDB FOLDER KEYS. */
import { loadPeer } from './peer.ts'

interface Store {
  openDB(options: { name: string; encoding: 'binary'; keyEncoding: 'binary' }): Store
  getRange(options: object): Iterable<{ key: Buffer; value: Buffer }>
}

const [folder = '', path = '', count = ''] = process.argv.slice(2)
const lmdb = loadPeer<{ open(options: object): Store }>(folder, 'lmdb')
const root = lmdb.open({ path, maxDbs: 1024, encoding: 'binary', keyEncoding: 'binary', readOnly: true })
const store = root.openDB({ name: 'store:SharedStore', encoding: 'binary', keyEncoding: 'binary' })
let [keys, bytes] = [0, 0]
for (const { value } of store.getRange({})) {
  keys += 1
  bytes += value.length
}
if (keys < Number(count)) throw new Error(`${keys} keys of ${bytes} bytes, and not ${count}`)
process.stdout.write('ready\n')
process.stdin.resume()
