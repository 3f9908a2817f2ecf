/** lmdb: no server, the store is mapped into every process. Words: FOLDER-OF-LMDB STORE BYTES. */
import { loadPeer } from './peer.ts'
import { serveSamples, sink, timeCalls, timeLoop, timeThroughput, verify } from './samples.ts'

interface Store {
  putSync(key: string, value: Buffer): boolean
  put(key: string, value: Buffer): Promise<boolean>
  getBinary(key: string): Buffer
  getBinaryFast(key: string): Buffer
}

const [folder = '', path = '', size = '4'] = process.argv.slice(2)
const lmdb = loadPeer<{ open(options: { path: string; encoding: 'binary'; noSync: boolean }): Store }>(folder, 'lmdb')
const store = lmdb.open({ path, encoding: 'binary', noSync: true })
const payload = Buffer.alloc(Number(size), 7)
const word = Buffer.alloc(4)

store.putSync('payload', payload)
verify(payload.equals(store.getBinary('payload')), 'getBinary answers what was put')

function number(i: number): Buffer {
  word.writeInt32BE(i & 0x7fffffff, 0)
  return word
}

function read(get: (key: string) => Buffer): (times: number) => number {
  return (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) sum += get('payload')[0] as number
    return sum
  }
}

await serveSamples({
  set: (milliseconds) => timeCalls(milliseconds, (i) => store.putSync('value', number(i))),
  pipelined: (milliseconds) => timeThroughput(milliseconds, (i) => store.put('value', Buffer.from(number(i)))),
  getBinary: (milliseconds) =>
    timeLoop(
      milliseconds,
      read((key) => store.getBinary(key)),
    ),
  getBinaryFast: (milliseconds) =>
    timeLoop(
      milliseconds,
      read((key) => store.getBinaryFast(key)),
    ),
})
verify(Number.isFinite(sink), 'what was read is a number')
