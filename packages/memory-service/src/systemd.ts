/**
 * Telling systemd how we are (sd_notify(3)): datagrams to NOTIFY_SOCKET, by unix-dgram. Without the variable, or without
 * that optional package, nothing is told and the daemon runs all the same.
 */
import { createRequire } from 'node:module'

/** The part of unix-dgram that is used here; the package has no types of its own. */
interface DatagramSocket {
  on(event: 'error', listener: (error: Error) => void): void
  send(message: Buffer, offset: number, length: number, path: string, callback?: (error?: Error) => void): void
  close(): void
}

export class ServiceNotifier {
  readonly #path: string
  readonly #socket: DatagramSocket | null
  /** Why nothing can be told although somebody listens; null when all is well. */
  readonly problem: string | null

  private constructor(path: string, socket: DatagramSocket | null, problem: string | null) {
    this.#path = path
    this.#socket = socket
    this.problem = problem
  }

  /** Takes NOTIFY_SOCKET out of `env`, so that no child notifies in our name. */
  static fromEnvironment(env: NodeJS.ProcessEnv): ServiceNotifier {
    const path = env.NOTIFY_SOCKET ?? ''
    delete env.NOTIFY_SOCKET
    if (path === '') return new ServiceNotifier(path, null, null)
    try {
      const socket = openDatagramSocket()
      socket.on('error', () => undefined)
      return new ServiceNotifier(path.startsWith('@') ? `\0${path.slice(1)}` : path, socket, null)
    } catch (error) {
      return new ServiceNotifier(path, null, `unix-dgram cannot be loaded, systemd hears nothing: ${String(error)}`)
    }
  }

  ready(status: string): void {
    this.#send(`READY=1\nSTATUS=${status}`)
  }

  stopping(): void {
    this.#send('STOPPING=1\nSTATUS=stopping')
  }

  close(): void {
    this.#socket?.close()
  }

  #send(message: string): void {
    const bytes = Buffer.from(message)
    // A notice that does not arrive is systemd's to notice: it has time-outs for that.
    this.#socket?.send(bytes, 0, bytes.length, this.#path, () => undefined)
  }
}

function openDatagramSocket(): DatagramSocket {
  const unixDgram = createRequire(import.meta.url)('unix-dgram') as { createSocket(type: 'unix_dgram'): DatagramSocket }
  return unixDgram.createSocket('unix_dgram')
}
