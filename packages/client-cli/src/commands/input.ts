/** What a command is given by a file or by stdin. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { exitCodeOf, ToolError } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { startProgress } from './progress.ts'

/** More than any value has. */
const MAX_BYTES = 2 ** 32 - 1
const CHUNK_BYTES = 1024 * 1024

/** How the input is called in messages. */
export function placeOf(file: string | undefined): string {
  return isStdin(file) ? 'stdin' : (file as string)
}

/** All of a file; `-`, or none: of stdin. Waits for it without a deadline. @throws ToolError */
export async function readInput(context: Context, file: string | undefined): Promise<Buffer> {
  const place = placeOf(file)
  const stream = isStdin(file) ? process.stdin : createReadStream(file as string, { highWaterMark: CHUNK_BYTES })
  using progress = startProgress(context, `reading ${place}:`)
  try {
    return await readAll(stream, (bytes) => {
      if (bytes > MAX_BYTES) throw new RangeError('it is longer than the 4 GiB that a value can have')
      progress.show(bytes, null)
    })
  } catch (cause) {
    throw new ToolError(exitCodeOf(cause), `cannot read ${place}: ${(cause as Error).message}`, { cause })
  }
}

async function readAll(stream: Readable, onBytes: (bytes: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    bytes += chunk.length
    onBytes(bytes)
  }
  return Buffer.concat(chunks, bytes)
}

function isStdin(file: string | undefined): boolean {
  return file === undefined || file === '-'
}
