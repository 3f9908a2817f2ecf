/** What a command is given by a file or by stdin. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { EXIT, exitCodeOf, ToolError } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { startProgress } from './progress.ts'

/** What surely fits into memory. */
const FIRST_CHECK_BYTES = 32 * 1024 * 1024
const CHUNK_BYTES = 1024 * 1024

/** How the input is called in messages. */
export function placeOf(file: string | undefined): string {
  return isStdin(file) ? 'stdin' : (file as string)
}

/** Whether so many bytes are not too many. @throws they are */
type Check = (bytes: number) => Promise<void>

/**
 * All bytes of a file; `-`, or no name, means stdin. It waits without a deadline.
 * @param check called while the input grows, so that an endless input is stopped early
 * @throws ToolError; errors of `check`
 */
export async function readInput(context: Context, file: string | undefined, check: Check): Promise<Buffer> {
  const place = placeOf(file)
  checkFileName(place)
  const stream = isStdin(file) ? process.stdin : createReadStream(file as string, { highWaterMark: CHUNK_BYTES })
  using progress = startProgress(context, `reading ${place}:`)
  const chunks: Buffer[] = []
  let bytes = 0
  let nextCheck = FIRST_CHECK_BYTES
  for await (const chunk of orError(stream, place)) {
    chunks.push(chunk)
    bytes += chunk.length
    progress.show(bytes, null)
    if (bytes < nextCheck) continue
    await check(bytes)
    nextCheck *= 2
  }
  return Buffer.concat(chunks, bytes)
}

/** In a script that is a variable without a value. @throws ToolError */
function checkFileName(name: string): void {
  if (name === '') throw new ToolError(EXIT.usage, 'the name of a file must not be empty')
}

async function* orError(stream: Readable, place: string): AsyncGenerator<Buffer> {
  try {
    yield* stream
  } catch (cause) {
    throw new ToolError(exitCodeOf(cause), `cannot read ${place}: ${(cause as Error).message}`, { cause })
  }
}

function isStdin(file: string | undefined): boolean {
  return file === undefined || file === '-'
}
