/** Closes references to a region of N bytes that was mapped and read. Words: ROOT BYTES. */
import { readFileSync } from 'node:fs'
import { loadShared, type SharedLibrary } from './library.ts'
import { serveSamples, timeSteps, verify } from './samples.ts'

const [root = '', size = '4096'] = process.argv.slice(2)
const bytes = Number(size)
const NAME = 'bench-close'
const { MemoryFile } = await loadShared(root)
type MemoryFile = InstanceType<SharedLibrary['MemoryFile']>

const owner = new MemoryFile(NAME, bytes)
const target = Buffer.alloc(bytes)

function open(): MemoryFile {
  const file = new MemoryFile(owner.shareReadOnly().getFileDescriptor(), bytes, 'r')
  file.readBytes(target, 0, 0, bytes)
  return file
}

function mappings(): number {
  return readFileSync('/proc/self/maps', 'utf8').split(NAME).length - 1
}

const before = mappings()
const file = open()
verify(mappings() === before + 1, 'a reference is mapped')
file.close()
verify(mappings() === before, 'it is unmapped when close() returns')

await serveSamples({ close: (milliseconds) => timeSteps(milliseconds, open, (file) => file.close()) })
