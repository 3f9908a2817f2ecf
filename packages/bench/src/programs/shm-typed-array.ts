/** System V shared memory by shm-typed-array: no server, no consistency. Words: FOLDER BYTES. */
import { loadPeer } from './peer.ts'
import { serveSamples, targetsOf, timeLoop, verify } from './samples.ts'

interface Library {
  create(count: number, type: 'Buffer'): (Buffer & { key: number }) | null
  get(key: number, type: 'Buffer'): Buffer | null
  destroy(key: number): boolean
}

const [folder = '', size = '4'] = process.argv.slice(2)
const library = loadPeer<Library>(folder, 'shm-typed-array')
const own = library.create(Number(size), 'Buffer')
const shared = own && library.get(own.key, 'Buffer')
if (own === null || shared === null) throw new Error('no segment')
const { key } = own
// The segment outlives its processes unless one of them says so.
process.on('SIGTERM', () => {
  library.destroy(key)
  process.exit(0)
})
own.fill(7)
const targets = targetsOf(Number(size))
for (const target of targets) {
  target.set(shared)
  verify(
    target.every((byte) => byte === 7),
    'what one mapping wrote the other one reads',
  )
}

function readBytes(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) {
    const target = targets[i % targets.length] as Buffer
    target.set(shared as Buffer)
    sum += target[0] as number
  }
  return sum
}

function readInt(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) sum += (shared as Buffer).readInt32BE(0)
  return sum
}

await serveSamples({
  'read-bytes': (milliseconds) => timeLoop(milliseconds, readBytes),
  'read-int': (milliseconds) => timeLoop(milliseconds, readInt),
})
