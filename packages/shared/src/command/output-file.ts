/**
 * `--output FILE` of both commands. A file is there whole, or as it was: it is written under another name beside it, and renamed. What
 * cannot be renamed (a pipe, a terminal, /dev/null) is written to, and so is a descriptor of the process itself.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import process from 'node:process'
import { errorCode } from '../util/errors.ts'
import { isError } from '../util/realm.ts'
import { EXIT, exitCodeOf, ToolError } from './exit-codes.ts'

/** What is written to. The descriptor is the caller's as long as `produce` runs. */
export interface OutputPlace {
  readonly fd: number
  /** For messages. */
  readonly name: string
  /** It takes everything at once: no pipe, and no terminal. */
  readonly isFile: boolean
}

/** /dev/stdout and its like: a file there is not ours to replace, whoever opened it may append to it. */
const OWN_DESCRIPTOR = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/
/** The kernel follows so many. */
const MAX_LINKS = 40
/** What ends a command half-way, and can be caught. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Has `produce` write what FILE is to be. @throws ToolError; what `produce` throws: then a file is as it was */
export async function writeOutput(output: string, produce: (place: OutputPlace) => Promise<void>): Promise<void> {
  if (output === '') throw new ToolError(EXIT.usage, 'the name of a file must not be empty')
  const stats = statOf(output)
  const path = destinationOf(output)
  const [, own] = OWN_DESCRIPTOR.exec(path) ?? []
  if (own !== undefined) return produce({ fd: Number(own), name: output, isFile: false })
  return stats === null || stats.isFile() ? replace(path, stats, produce) : append(output, produce)
}

/** Of where the name leads to; null: nothing is there yet. */
function statOf(output: string): Stats | null {
  try {
    return statSync(output)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw fileError(output, error)
  }
}

/** Behind all links, also where the last of them leads to nothing yet. */
function destinationOf(output: string, links = 0): string {
  if (links > MAX_LINKS || OWN_DESCRIPTOR.test(output)) return output
  const link = linkOf(output)
  if (link === null) return output
  return destinationOf(isAbsolute(link) ? link : `${realpathSync(dirname(output))}/${link}`, links + 1)
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null // EINVAL: no link; anything else is told when it is opened
  }
}

async function replace(
  path: string,
  stats: Stats | null,
  produce: (place: OutputPlace) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  using _ended = removedAtEndings(draft)
  const fd = open(path, draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)
  try {
    if (stats !== null) fchmodSync(fd, stats.mode)
    await produce({ fd, name: path, isFile: true })
    rename(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

/** A signal that ends the process takes the draft with it. */
function removedAtEndings(draft: string): Disposable {
  const forget = () => {
    for (const signal of ENDINGS) process.off(signal, end)
  }
  const end = (signal: NodeJS.Signals) => {
    forget()
    rmSync(draft, { force: true })
    process.kill(process.pid, signal)
  }
  for (const signal of ENDINGS) process.on(signal, end)
  return { [Symbol.dispose]: forget }
}

async function append(output: string, produce: (place: OutputPlace) => Promise<void>): Promise<void> {
  const fd = open(output, output, constants.O_WRONLY)
  try {
    await produce({ fd, name: output, isFile: false })
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

function rename(draft: string, path: string): void {
  try {
    renameSync(draft, path)
  } catch (error) {
    throw fileError(path, error)
  }
}

function fileError(name: string, cause: unknown): ToolError {
  const why = isError(cause) ? cause.message : String(cause)
  return new ToolError(exitCodeOf(cause), `cannot write to ${name}: ${why}`, { cause })
}
