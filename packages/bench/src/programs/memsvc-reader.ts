/** Reads of a region of N bytes by the public API. Words: ROOT BYTES. */
import { types } from 'node:util'
import { loadNative, loadShared } from './library.ts'
import { serveSamples, targetsOf, timeLoop, verify } from './samples.ts'

const { isExternal } = types
const [root = '', size = '4'] = process.argv.slice(2)
const bytes = Number(size)
const { MemoryFile } = await loadShared(root)
const { mmap } = await loadNative(root)

const owner = new MemoryFile('bench', bytes)
const file = new MemoryFile(owner.shareReadOnly().getFileDescriptor(), bytes, 'r')
const targets = targetsOf(bytes)
const view = mmap.map(bytes, mmap.PROT_READ, mmap.MAP_SHARED, owner.getFileDescriptor().getInt())
const words = new Int32Array(view.buffer, view.byteOffset, 1)
const pattern = Buffer.from(Array.from({ length: bytes }, (_, i) => i % 251))
owner.writeBytes(pattern, 0, 0, bytes)
for (const target of targets) {
  verify(
    file.readBytes(target, 0, 0, bytes) === bytes && target.equals(pattern),
    'the reader sees what the owner wrote',
  )
}
verify(Atomics.load(words, 0) === pattern.readInt32LE(0), 'so does the bare mapping')
verify(file.readInt32BE(0) === pattern.readInt32BE(0), 'and the int')

function readBytes(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) {
    const target = targets[i % targets.length] as Buffer
    file.readBytes(target, 0, 0, bytes)
    sum += target[i % bytes] as number
  }
  return sum
}

function readInt(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) sum += file.readInt32BE(0)
  return sum
}

/** The least that a read of shared memory can be in JavaScript: of the mapping itself, by a view that the library never gives. */
function atomicsLoad(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) sum += Atomics.load(words, 0)
  return sum
}

/** What any function of C++ costs in Node.js: this one looks at what kind of value it got. */
function emptyCalls(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) sum += isExternal(words) ? 1 : 2
  return sum
}

await serveSamples({
  'empty-call': (milliseconds) => timeLoop(milliseconds, emptyCalls),
  'read-bytes': (milliseconds) => timeLoop(milliseconds, readBytes),
  'read-int': (milliseconds) => timeLoop(milliseconds, readInt),
  'atomics-load': (milliseconds) => timeLoop(milliseconds, atomicsLoad),
})
