/**
 * Holds the bytes of descriptor 3 in memory, and does nothing more. Words: share|copy|bare ROOT BYTES. "share" maps them by
 * the library; "copy" reads them into memory of its own; "bare" is a Node process without either.
 */
import { readSync } from 'node:fs'
import { loadShared } from './library.ts'
import { serveSamples } from './samples.ts'

const DESCRIPTOR = 3
const STEP = 65536
const [mode = '', root = '', size = ''] = process.argv.slice(2)
const bytes = Number(size)

/** What is held must stay reachable: memory that nobody refers to is freed under the measurement. */
const held = mode === 'share' ? await share() : mode === 'copy' ? copy() : null

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
