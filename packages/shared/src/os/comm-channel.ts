/**
 * One end of the status channel that makes a pipe or socket pair "reliable": a SOCK_SEQPACKET pair beside the data, on
 * which each side says why it goes. Each side speaks once, as the last thing before it closes its data descriptor, so
 * whoever sees the data end finds the reason already there.
 */
import { constants, recvmsg, SyscallError, sendmsg, socketpair } from 'memfd-native'
import { decodeStatus, encodeStatus, MAX_STATUS_BYTES, STATUS, type Status, statusError } from './comm-status.ts'
import { borrowFd, type FileDescriptor, wrapOwnedFd } from './file-descriptor.ts'

export class CommChannel {
  /** The channel's own descriptor, for a parcel that sends it along; invalid after close(). */
  readonly descriptor: FileDescriptor
  #peerStatus: Status | null = null

  /** Takes ownership of `descriptor`, a non-blocking SOCK_SEQPACKET socket. */
  constructor(descriptor: FileDescriptor) {
    this.descriptor = descriptor
  }

  /** The descriptors of two connected ends, the caller's. @throws EMFILE, ENFILE (socketpair(2)). */
  static pair(): [FileDescriptor, FileDescriptor] {
    const [one, other] = socketpair(constants.SOCK_SEQPACKET)
    return [wrapOwnedFd(one), wrapOwnedFd(other)]
  }

  get isOpen(): boolean {
    return this.descriptor.valid()
  }

  /** What the peer has said, or that it died; null while neither. Read once and remembered, also after close(). */
  peerStatus(): Status | null {
    if (this.#peerStatus === null && this.isOpen) this.#peerStatus = this.#receive()
    return this.#peerStatus
  }

  /** @throws ERR_DETACHED, ERR_REMOTE_ERROR when the peer reported trouble or is gone. */
  check(): void {
    const status = this.peerStatus()
    const error = status && statusError(status)
    if (error !== null) throw error
  }

  /**
   * Says the last word and closes. Nothing is sent for SILENCE, nor to a peer that has spoken or died: it does not listen
   * any more. Again is harmless.
   */
  close(code: number, message = ''): void {
    if (!this.isOpen) return
    if (code !== STATUS.SILENCE && this.peerStatus() === null) this.#send({ code, message })
    this.descriptor.close()
  }

  #receive(): Status | null {
    try {
      const { data } = recvmsg(borrowFd(this.descriptor), MAX_STATUS_BYTES, 0)
      return decodeStatus(data)
    } catch (error) {
      if (error instanceof SyscallError && error.code === 'EAGAIN') return null
      return { code: STATUS.DEAD, message: '' }
    }
  }

  #send(status: Status): void {
    try {
      sendmsg(borrowFd(this.descriptor), encodeStatus(status))
    } catch {
      // The peer is gone, or its queue is full of messages from others: in both cases nobody can be notified.
    }
  }
}
