/**
 * The way to systemd (sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET names. unix-dgram, an optional package,
 * sends them; it knows neither descriptors nor abstract addresses, and those go by a socket of our own.
 */
import { createRequire } from 'node:module'
import { type FileDescriptor, UnsupportedOperationError } from '@memsvc/shared'
import { connect, constants, OwnedFd, sendmsg, setNonBlocking, socket } from 'memfd-native'

/** The part of unix-dgram that is used here; the package has no types of its own. */
interface DatagramSocket {
  on(event: 'error', listener: (error: Error) => void): void
  send(message: Buffer, offset: number, length: number, path: string, callback?: (error?: Error) => void): void
  close(): void
}

export class NotifySocket {
  readonly #path: string
  readonly #datagrams: DatagramSocket | null

  private constructor(path: string, datagrams: DatagramSocket | null) {
    this.#path = path
    this.#datagrams = datagrams
  }

  /**
   * Takes NOTIFY_SOCKET out of `env`, so that no child notifies in our name.
   * @returns null when nobody listens
   * @throws ERR_UNSUPPORTED_OPERATION somebody does, and unix-dgram is not installed
   */
  static take(env: NodeJS.ProcessEnv): NotifySocket | null {
    const path = env.NOTIFY_SOCKET ?? ''
    delete env.NOTIFY_SOCKET
    if (path === '') return null
    if (path.startsWith('@')) return new NotifySocket(`\0${path.slice(1)}`, null)
    return new NotifySocket(path, openDatagramSocket())
  }

  /** Never waits. A notice that does not arrive is systemd's to notice: it has time-outs for that. */
  send(message: string): void {
    const bytes = Buffer.from(message)
    if (this.#datagrams !== null) this.#datagrams.send(bytes, 0, bytes.length, this.#path, () => undefined)
    else this.#sendAside(bytes)
  }

  /**
   * Sends a message that must arrive, with a descriptor if there is one, which stays the caller's. Waits for room in
   * systemd's queue, as sd_notify(3) does.
   * @throws errors of connect(2) and sendmsg(2)
   */
  deliver(message: string, ...fds: readonly FileDescriptor[]): void {
    using sender = connectTo(this.#path)
    setNonBlocking(sender, false)
    const numbers = fds.map((fd) => fd.getInt())
    sendmsg(sender, Buffer.from(message), numbers)
  }

  close(): void {
    this.#datagrams?.close()
  }

  #sendAside(bytes: Buffer): void {
    try {
      using sender = connectTo(this.#path)
      sendmsg(sender, bytes)
    } catch {
      // as in send()
    }
  }
}

/** Whether the package is there: an optional dependency whose build may have failed. */
export function canNotify(): boolean {
  try {
    openDatagramSocket().close()
    return true
  } catch {
    return false
  }
}

function openDatagramSocket(): DatagramSocket {
  try {
    const unixDgram = createRequire(import.meta.url)('unix-dgram') as {
      createSocket(type: 'unix_dgram'): DatagramSocket
    }
    const opened = unixDgram.createSocket('unix_dgram')
    opened.on('error', () => undefined)
    return opened
  } catch (cause) {
    throw new UnsupportedOperationError('unix-dgram cannot be loaded', { cause })
  }
}

function connectTo(path: string): OwnedFd {
  using sender = socket(constants.SOCK_DGRAM)
  connect(sender, path)
  return OwnedFd.adopt(sender.release())
}
