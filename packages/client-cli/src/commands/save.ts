/** `--output FILE`: the file is there whole, or as it was. */
import { closeSync, constants, fchmodSync, openSync, realpathSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { errorCode } from '@memsvc/shared'
import { exitCodeOf, ToolError } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { checkFileName } from './input.ts'
import { type Print, printDirectly } from './output.ts'

/** Has `produce` print to the file that was asked for, or to stdout. @throws ToolError; what `produce` throws */
export async function printTo(context: Context, produce: (print: Print) => Promise<void>): Promise<void> {
  const { output = '-' } = context.options
  if (output === '-') return produce(context.print)
  checkFileName(output)
  const path = pathOf(output)
  const isFile = path === null || statSync(path).isFile()
  return isFile ? replace(path ?? output, path !== null, produce) : append(path, output, produce)
}

/** Where the name leads to; null: nowhere yet. */
function pathOf(output: string): string | null {
  try {
    return realpathSync(output)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw fileError(output, error)
  }
}

/** Written under another name, beside it, and renamed when it is whole. */
async function replace(path: string, isThere: boolean, produce: (print: Print) => Promise<void>): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  const fd = open(path, draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)
  try {
    if (isThere) fchmodSync(fd, statSync(path).mode)
    await produce(printDirectly(fd, unused, path))
    renameSync(draft, path)
  } catch (error) {
    unlinkSync(draft)
    throw error
  } finally {
    closeSync(fd)
  }
}

/** A pipe, a terminal, /dev/null: what has no other name beside it. */
async function append(path: string, output: string, produce: (print: Print) => Promise<void>): Promise<void> {
  const fd = open(output, path, constants.O_WRONLY)
  try {
    await produce(printDirectly(fd, () => new Socket({ fd, readable: false, writable: true }), output))
  } finally {
    closeSync(fd)
  }
}

function open(name: string, path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o666)
  } catch (error) {
    throw fileError(name, error)
  }
}

function fileError(name: string, cause: unknown): ToolError {
  return new ToolError(exitCodeOf(cause), `cannot write to ${name}: ${(cause as Error).message}`, { cause })
}

/** A file is never slow in the way that a pipe is. */
function unused(): never {
  throw new Error('a file has no reader')
}
