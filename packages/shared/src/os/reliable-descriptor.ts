/**
 * A descriptor together with its end of a status channel, if it has one. This is what a ParcelFileDescriptor holds and
 * what it shares with every ParcelFileDescriptor wrapped around it.
 */
import { LeakDetector, type OwnedFd, type Watched } from 'memfd-native'
import { ClosedError } from '../util/errors.ts'
import { CommChannel } from './comm-channel.ts'
import { STATUS } from './comm-status.ts'
import { type FileDescriptor, ownsNothing, takeOwnedFd } from './file-descriptor.ts'

/** What outlives a forgotten ReliableDescriptor, to be closed in its place. */
interface Remains extends Watched {
  readonly fd: FileDescriptor
  readonly comm: CommChannel | null
}

const leaks = new LeakDetector<Remains>(({ fd, comm }) => {
  if (ownsNothing(fd) || (!fd.valid() && !comm?.isOpen)) return null
  const what = `ParcelFileDescriptor of descriptor ${fd.getInt()}`
  comm?.close(STATUS.LEAKED)
  fd.close()
  return what
})

export class ReliableDescriptor {
  readonly fd: FileDescriptor
  readonly comm: CommChannel | null
  readonly #remains: Remains

  /** Takes ownership of both descriptors. */
  constructor(fd: FileDescriptor, comm: FileDescriptor | null) {
    this.fd = fd
    this.comm = comm && new CommChannel(comm)
    this.#remains = { fd, comm: this.comm }
    leaks.watch(this, this.#remains)
  }

  /** @throws ERR_CLOSED after close() or detach(), also when another holder closed the FileDescriptor. */
  checkOpen(): void {
    if (!this.fd.valid()) throw new ClosedError('Already closed')
  }

  /**
   * Gives the descriptor to the caller, and reports DETACHED to the peer.
   * @throws ERR_CLOSED
   */
  detach(): OwnedFd {
    this.checkOpen()
    leaks.forget(this, this.#remains)
    this.comm?.close(STATUS.DETACHED)
    return takeOwnedFd(this.fd)
  }

  /** Tells the peer, then closes: who reads the end of the data must find the status there. Again is harmless. */
  close(status: number, message?: string): void {
    leaks.forget(this, this.#remains)
    this.comm?.close(status, message)
    this.fd.close()
  }
}
