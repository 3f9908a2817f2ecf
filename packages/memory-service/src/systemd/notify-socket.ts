/** The way to systemd (sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET names. */
import type { FileDescriptor } from '@memsvc/shared'
import { connect, constants, OwnedFd, sendmsg, setNonBlocking, socket } from 'memfd-native'

export class NotifySocket {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /**
   * Takes NOTIFY_SOCKET out of `env`, so that no child notifies in our name.
   * @returns null when nobody listens
   */
  static take(env: NodeJS.ProcessEnv): NotifySocket | null {
    const path = env.NOTIFY_SOCKET ?? ''
    delete env.NOTIFY_SOCKET
    if (path === '') return null
    return new NotifySocket(path.startsWith('@') ? `\0${path.slice(1)}` : path)
  }

  /** Never waits. A notice that does not arrive is systemd's to notice: it has time-outs for that. */
  send(message: string): void {
    try {
      using sender = this.#connect()
      sendmsg(sender, Buffer.from(message))
    } catch {
      // systemd is away, or its queue is full
    }
  }

  /**
   * Sends a message that must arrive, with a descriptor if there is one, which stays the caller's. Waits for room in
   * systemd's queue, as sd_notify(3) does.
   * @throws errors of connect(2) and sendmsg(2)
   */
  deliver(message: string, ...fds: readonly FileDescriptor[]): void {
    using sender = this.#connect()
    setNonBlocking(sender, false)
    const numbers = fds.map((fd) => fd.getInt())
    sendmsg(sender, Buffer.from(message), numbers)
  }

  /** A new socket for each message, as in sd_notify(3), because systemd may have made its socket again. */
  #connect(): OwnedFd {
    using sender = socket(constants.SOCK_DGRAM)
    connect(sender, this.#path)
    return OwnedFd.adopt(sender.release())
  }
}
