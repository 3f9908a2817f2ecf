/** Writes data to stdout. Other files write everything else to stderr. */
import type { Writable } from 'node:stream'
import { bytesOf, outputError, writeNow } from '@memsvc/shared/internal'

/** Prints a line and its end, or bytes as they are. Resolves once the system has taken it. @throws ReaderGone, ToolError */
export type Print = (data: string | Uint8Array) => Promise<void>

/**
 * For commands that print and end: straight to the descriptor, because loading `process.stdout` is felt at the start.
 * `openStream` gives the same descriptor as a stream. It is asked for only when somebody has made the descriptor
 * non-blocking and its reader is slow.
 */
export function printDirectly(fd: number, openStream: () => Writable, place?: string): Print {
  return async (data) => {
    const rest = writeNow(fd, bytesOf(data), place)
    if (rest.length > 0) await writeToStream(openStream(), rest)
  }
}

/** For commands that run until they are interrupted: signals are handled even if the reader is slow or stopped. */
export function printByStream(stream: Writable): Print {
  return (data) => writeToStream(stream, bytesOf(data))
}

/** The one line of `read`, and each of `watch`. */
export function formatValue(json: boolean, name: string, value: number): string {
  return json ? JSON.stringify({ name, value }) : String(value)
}

async function writeToStream(stream: Writable, data: Uint8Array): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      // An 'error' event without a listener would end the process. It comes after the callback, so the listener stays.
      stream.once('error', reject)
      stream.write(data, (error) => {
        if (error) return reject(error)
        stream.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw outputError(error)
  }
}
