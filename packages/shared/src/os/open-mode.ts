/** How a file is opened: ParcelFileDescriptor's mode bits, their text form, and the flags of open(2) they stand for. */
import { closeSync, constants, openSync } from 'node:fs'
import { dup, type OwnedFd } from 'memfd-native'
import { checkInteger, checkString, INT_MAX, show } from '../util/check.ts'
import { InvalidArgValueError } from '../util/errors.ts'

export const MODE_WORLD_READABLE = 0x1
export const MODE_WORLD_WRITEABLE = 0x2
export const MODE_READ_ONLY = 0x1000_0000
export const MODE_WRITE_ONLY = 0x2000_0000
export const MODE_READ_WRITE = 0x3000_0000
export const MODE_CREATE = 0x0800_0000
export const MODE_TRUNCATE = 0x0400_0000
export const MODE_APPEND = 0x0200_0000

const ACCESS_MASK = MODE_READ_WRITE
const { S_IROTH, S_IRWXG, S_IRWXU, S_IWOTH } = constants

/**
 * The mode bits of a text such as "r", "w", "wt", "wa", "rw", "rwt", "rwa". "w" creates the file but does not truncate it.
 * @throws ERR_INVALID_ARG_VALUE for any character but r, w, t, a, or when it begins with neither r nor w.
 */
export function parseMode(mode: string): number {
  checkString('mode', mode)
  if (!/^[rw][rwta]*$/.test(mode)) throw new InvalidArgValueError(`Bad mode: ${mode}`)
  return accessBits(mode) | (mode.includes('t') ? MODE_TRUNCATE : 0) | (mode.includes('a') ? MODE_APPEND : 0)
}

function accessBits(mode: string): number {
  if (mode.startsWith('rw')) return MODE_READ_WRITE | MODE_CREATE
  return mode.startsWith('w') ? MODE_WRITE_ONLY | MODE_CREATE : MODE_READ_ONLY
}

/**
 * open(2) by mode bits, CLOEXEC. A new file gets the permissions 0770 plus the world bits, less the umask.
 * The descriptor is the caller's.
 * @throws ERR_INVALID_ARG_VALUE without an access mode, the errno's code (ENOENT, EACCES, ...) when open fails.
 */
export function openFile(path: string, mode: number): OwnedFd {
  checkString('path', path)
  checkInteger('mode', mode, 0, INT_MAX)
  const fd = openSync(path, openFlags(mode), permissions(mode))
  try {
    // A worker thread closes what fs.openSync opened when it ends, by number: only a number of our own is safe from that.
    return dup(fd)
  } finally {
    closeSync(fd)
  }
}

function openFlags(mode: number): number {
  return (
    accessFlag(mode) |
    (mode & MODE_CREATE ? constants.O_CREAT : 0) |
    (mode & MODE_TRUNCATE ? constants.O_TRUNC : 0) |
    (mode & MODE_APPEND ? constants.O_APPEND : 0)
  )
}

function accessFlag(mode: number): number {
  switch (mode & ACCESS_MASK) {
    case MODE_READ_ONLY:
      return constants.O_RDONLY
    case MODE_WRITE_ONLY:
      return constants.O_WRONLY
    case MODE_READ_WRITE:
      return constants.O_RDWR
    default:
      throw new InvalidArgValueError(
        `Must specify MODE_READ_ONLY, MODE_WRITE_ONLY, or MODE_READ_WRITE, got ${show(mode)}`,
      )
  }
}

function permissions(mode: number): number {
  const world = (mode & MODE_WORLD_READABLE ? S_IROTH : 0) | (mode & MODE_WORLD_WRITEABLE ? S_IWOTH : 0)
  return S_IRWXU | S_IRWXG | world
}
