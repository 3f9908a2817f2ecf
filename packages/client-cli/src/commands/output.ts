/** Data to stdout, or to whatever takes its place. Everything else goes to stderr and is nothing here. */
import { writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { errorCode } from '@memsvc/shared'
import { EXIT, ToolError } from '@memsvc/shared/internal'

/** Prints a line and its end, or bytes as they are. Resolves once the system has taken it. @throws ReaderGone, ToolError */
export type Print = (data: string | Uint8Array) => Promise<void>

/** Nobody reads stdout any more (EPIPE): there is nothing left to do, and nothing went wrong. */
export class ReaderGone extends Error {}

/**
 * For commands that print and end: straight to the descriptor, because loading `process.stdout` is felt at the start.
 * `openStream` gives the same descriptor as a stream. It is asked for only when somebody has made the descriptor
 * non-blocking and its reader is slow.
 */
export function printDirectly(fd: number, openStream: () => Writable, place = 'stdout'): Print {
  return async (data) => {
    let rest = bytesOf(data)
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw outputError(error, place)
      await writeToStream(openStream(), rest)
    }
  }
}

/** For commands that go on: a reader that is slow, or stopped, does not keep signals from being handled. */
export function printByStream(stream: Writable): Print {
  return (data) => writeToStream(stream, bytesOf(data))
}

/** The one line of `read`, and each of `watch`. */
export function formatValue(json: boolean, name: string, value: number): string {
  return json ? JSON.stringify({ name, value }) : String(value)
}

/** What went wrong with `place`, as the tool says it. */
export function outputError(cause: unknown, place = 'stdout'): Error {
  if (errorCode(cause) === 'EPIPE') return new ReaderGone(`nobody reads ${place}`, { cause })
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ToolError(EXIT.failed, `cannot write to ${place}: ${reason}`, { cause })
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(`${data}\n`) : data
}

async function writeToStream(stream: Writable, data: Uint8Array): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      // An 'error' that nobody hears would end the process; it comes after the callback, so the listener stays for it.
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
