/** Tells a listener when the other end of a status channel speaks or dies. */
import { FdWatcher } from 'memfd-native'
import { CommChannel } from './comm-channel.ts'
import { STATUS, statusError } from './comm-status.ts'
import { borrowFd, type FileDescriptor } from './file-descriptor.ts'

/** Called once, asynchronously: with null after a normal close, otherwise with ERR_REMOTE_ERROR or ERR_DETACHED. */
export type OnClose = (error: Error | null) => void

/** Takes ownership of `comm`, unless it throws. @throws EMFILE, ENFILE to watch it takes a descriptor. Keeps the process alive until the listener was called, as a pending read would. */
export function listenForClose(comm: FileDescriptor, onClose: OnClose): void {
  const channel = new CommChannel(comm)
  const watcher = new FdWatcher(borrowFd(comm), 'readable', () => {
    const status = channel.peerStatus()
    if (status === null) return
    watcher.close()
    channel.close(STATUS.SILENCE)
    onClose(statusError(status))
  })
}
