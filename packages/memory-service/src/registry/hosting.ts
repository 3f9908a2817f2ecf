/** The part that this process has in the registry: it hosts it, behind a lock or on an inherited socket, or it does not. */
import type { OwnedFd } from '@memsvc/shared/internal'
import { HostLock } from './listener.ts'
import { type HostOptions, RegistryHost } from './registry-host.ts'

export interface HostingOptions extends Omit<HostOptions, 'listener'> {
  readonly path: string
  readonly socketMode: number
}

export class Hosting {
  readonly #options: HostingOptions
  #lock: HostLock | null = null
  #host: RegistryHost | null = null

  constructor(options: HostingOptions) {
    this.#options = options
  }

  get isHost(): boolean {
    return this.#host !== null
  }

  /** Hosts the registry if nobody does. @returns whether this process is the host now @throws as HostLock */
  tryHost(): boolean {
    if (this.#host !== null) return true
    const { path, socketMode, log } = this.#options
    const lock = HostLock.tryTake(path)
    if (lock === null) return false
    try {
      this.hostOn(lock.listen(socketMode))
    } catch (error) {
      lock.close()
      throw error
    }
    this.#lock = lock
    log.logger.info({ registry: path }, 'hosting the registry')
    return true
  }

  /** Hosts the registry on a socket that is somebody else's to make and to remove. Takes it over. */
  hostOn(listener: OwnedFd): void {
    this.#host = new RegistryHost({ ...this.#options, listener })
  }

  /** Ends every connection, removes the socket, and gives the lock back, in this order. Idempotent. */
  close(): void {
    this.#host?.close()
    this.#lock?.close()
  }
}
