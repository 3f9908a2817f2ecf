/**
 * Holds the bytes of descriptor 3 in memory, and does nothing more. Words: share|copy|bare|used ROOT BYTES. "share" maps them
 * by the library; "copy" reads them into memory of its own; "bare" is a Node process without either, and "used" one that has
 * made some garbage.
 */
import { readSync } from 'node:fs'
import { loadShared } from './library.ts'
import { serveSamples, verify } from './samples.ts'

const DESCRIPTOR = 3
const STEP = 65536
const [mode = '', root = '', size = ''] = process.argv.slice(2)
const bytes = Number(size)

/** What is held must stay reachable: memory that nobody refers to is freed under the measurement. */
const held = await hold()

function hold(): unknown {
  if (mode === 'share') return share()
  if (mode === 'copy') return copy()
  if (mode === 'used') makeGarbage()
  return null
}

/** 1 MiB of small objects, all of them forgotten. */
function makeGarbage(): void {
  let last: unknown = null
  for (let i = 0; i < 2 ** 15; i++) last = { last: i % 16 === 0 ? null : last }
  verify(last !== null, 'garbage is made')
}

/** Reads all of it: that maps the pages. */
async function share(): Promise<unknown> {
  const { MemoryFile, ParcelFileDescriptor } = await loadShared(root)
  const file = new MemoryFile(ParcelFileDescriptor.adoptFd(DESCRIPTOR).getFileDescriptor(), bytes, 'r')
  const bytesRead = Buffer.alloc(STEP)
  for (let at = 0; at < bytes; at += STEP) file.readBytes(bytesRead, at, 0, STEP)
  return file
}

function copy(): unknown {
  const own = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; ) at += readSync(DESCRIPTOR, own, at, Math.min(bytes - at, 2 ** 24), at)
  return own
}

await serveSamples({ held: () => ({ held: held === null ? 0 : bytes }) })
