/**
 * The reader of a command's output may go away while the command has nothing to print. Then the command should end at
 * once, not at its next line.
 */
import { Buffer } from 'node:buffer'
import { fstatSync } from 'node:fs'
import { FdWatcher, sendmsg } from 'memfd-native'
import { ParcelFileDescriptor } from '../os/parcel-file-descriptor.ts'
import { errorCode } from '../util/errors.ts'

const NOTHING = Buffer.alloc(0)

/**
 * Calls back once when a pipe or a Unix stream socket has no reader any more. For files, terminals and everything else
 * this cannot be known, so it never calls back. It does not keep the process alive.
 * @param fd stays the caller's
 */
export function whenReaderIsGone(fd: number, callback: () => void): void {
  const isPipe = isKind(fd, 'isFIFO')
  if (!isPipe && !isKind(fd, 'isSocket')) return
  // A duplicate with its own number, because libuv may already watch the original for a stream of Node.
  const own = ParcelFileDescriptor.fromFd(fd)
  const watcher = new FdWatcher(own.getFd(), 'readable', () => {
    watcher.close()
    // A socket is readable also when the other side says something, or that it will say nothing: then the next line will tell.
    const isGone = isPipe || isSocketGone(own.getFd())
    own.close()
    if (isGone) callback()
  })
  watcher.unref()
}

function isKind(fd: number, kind: 'isFIFO' | 'isSocket'): boolean {
  try {
    return fstatSync(fd)[kind]()
  } catch {
    return false
  }
}

/** unix(7): a stream takes nothing for nothing, and says EPIPE all the same. */
function isSocketGone(fd: number): boolean {
  try {
    sendmsg(fd, NOTHING)
    return false
  } catch (error) {
    return errorCode(error) !== 'EAGAIN'
  }
}
