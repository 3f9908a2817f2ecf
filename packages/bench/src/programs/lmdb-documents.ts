/** JSON and puts of lmdb. Words: FOLDER-OF-LMDB STORE BYTES CACHED. With a cache it answers objects that other processes have replaced. */
import { documentOf } from './documents.ts'
import { loadPeer } from './peer.ts'
import { serveSamples, timeLoop, verify } from './samples.ts'

interface Store {
  putSync(key: string, value: unknown): boolean
  get(key: string): unknown
}
interface Options {
  path: string
  encoding: 'json' | 'binary'
  noSync: boolean
  cache: boolean
}

const [folder = '', path = '', size = '331', cached = ''] = process.argv.slice(2)
const lmdb = loadPeer<{ open(options: Options): Store }>(folder, 'lmdb')
const cache = cached === 'cached'
const documents = lmdb.open({ path: `${path}-json`, encoding: 'json', noSync: true, cache })
const blobs = lmdb.open({ path: `${path}-bytes`, encoding: 'binary', noSync: true, cache: false })
const document = documentOf(Number(size))
const payload = Buffer.alloc(Number(size), 7)

documents.putSync('document', document)
verify(JSON.stringify(documents.get('document')) === JSON.stringify(document), 'get answers what was put')

function get(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) sum += documents.get('document') === undefined ? 1 : 2
  return sum
}

function put(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) {
    payload[0] = i & 0x7f
    sum += Number(blobs.putSync('payload', payload))
  }
  return sum
}

await serveSamples({
  get: (milliseconds) => timeLoop(milliseconds, get),
  put: (milliseconds) => timeLoop(milliseconds, put),
})
