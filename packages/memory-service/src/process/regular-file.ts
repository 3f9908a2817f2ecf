/** Reads a file at a path where anything may be (a fifo, a device): it is checked before it is opened, and never waited for. */
import { constants as fs, openSync, readSync } from 'node:fs'
import { InvalidArgValueError } from '@memsvc/shared'
import { type FileStatus, fstat, OwnedFd, reopen } from 'memfd-native'

/**
 * open(2): the name only. A fifo's open() waits for the other end, and a device's may do anything; this does neither.
 * Not in Node's constants.
 */
const O_PATH = 0o10000000

export interface ReadOptions {
  /** The longest that it may be. */
  readonly maxBytes: number
  /**
   * Checks exactly the file that is read.
   * @throws an error that says what is wrong with it
   */
  readonly check?: (file: FileStatus) => void
}

/**
 * The text of a regular file; links are followed.
 * @throws ERR_INVALID_ARG_VALUE it is none, or longer; errors of open(2) and read(2)
 */
export function readRegularFile(path: string, { maxBytes, check }: ReadOptions): string {
  using name = OwnedFd.adopt(openSync(path, O_PATH | fs.O_NONBLOCK))
  const file = fstat(name)
  if ((file.mode & fs.S_IFMT) !== fs.S_IFREG) throw new InvalidArgValueError('is not a regular file')
  check?.(file)
  if (file.size > maxBytes) throw tooLong(`${file.size}`, maxBytes)
  // Some files of /proc and /sys wait for news like a pipe.
  using content = reopen(name, fs.O_RDONLY | fs.O_NONBLOCK | fs.O_NOCTTY)
  return readAll(content, maxBytes)
}

/** The size is not reliable: a file may grow, and in /proc it is 0. */
function readAll(fd: OwnedFd, maxBytes: number): string {
  const bytes = Buffer.allocUnsafe(maxBytes + 1)
  let length = 0
  for (;;) {
    const count = readSync(fd.fd, bytes, length, bytes.length - length, null)
    length += count
    if (length > maxBytes) throw tooLong('more', maxBytes)
    if (count === 0) return bytes.toString('utf8', 0, length)
  }
}

function tooLong(found: string, maxBytes: number): InvalidArgValueError {
  return new InvalidArgValueError(`must have at most ${maxBytes} bytes, and has ${found}`)
}
