/** Who reads what a command prints may go away while it has nothing to print: then it is to end at once, not at its next line. */
import { Buffer } from 'node:buffer'
import { fstatSync } from 'node:fs'
import { FdWatcher, sendmsg } from 'memfd-native'
import { ParcelFileDescriptor } from '../os/parcel-file-descriptor.ts'
import { errorCode } from '../util/errors.ts'

const NOTHING = Buffer.alloc(0)

/**
 * Calls back, at most once, when nobody reads this end of a pipe or of a Unix stream socket any more. Of files, terminals and whatever
 * else nobody can know that: there it never does. Keeps nothing alive, and ends with the process.
 * @param fd borrowed
 */
export function whenReaderIsGone(fd: number, callback: () => void): void {
  const isPipe = isKind(fd, 'isFIFO')
  if (!isPipe && !isKind(fd, 'isSocket')) return
  // Of its own number: libuv watches the other one already, where it is a stream of Node's.
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
