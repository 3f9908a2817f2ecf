/**
 * The part that this process has in the registry: it hosts it, behind a lock or on an inherited socket, or it does not.
 *
 * A host looks once a second whether its path still leads to it, by two calls of stat(2): whoever removes a socket, its
 * lock or their folder tells nobody, and inotify(7) tells of neither mounts nor folders above.
 */
import { errorCode, IllegalStateError } from '@memsvc/shared'
import type { RegistryPlace } from '@memsvc/shared/internal'
import type { OwnedFd } from 'memfd-native'
import { InheritedSocket } from './inherited-socket.ts'
import { HostLock, isServed, lockPathOf } from './listener.ts'
import { describeHolder } from './lock-holder.ts'
import { PathTakenError, type RegistryEndpoint } from './registry-endpoint.ts'
import { type HostOptions, RegistryHost } from './registry-host.ts'

export interface HostingOptions extends Omit<HostOptions, 'listener'> {
  readonly place: RegistryPlace
  readonly socketMode: number
  /** Another process has the path, so this one must stop hosting. */
  readonly onLost: (reason: Error) => void
  /** {@link Hosting.trouble} has changed. */
  readonly onTrouble: () => void
}

const CHECK_MS = 1000

export class Hosting {
  readonly #options: HostingOptions
  #endpoint: RegistryEndpoint | null = null
  #host: RegistryHost | null = null
  #checkTimer: NodeJS.Timeout | undefined
  #trouble: string | null = null

  constructor(options: HostingOptions) {
    this.#options = options
  }

  get isHost(): boolean {
    return this.#host !== null
  }

  /** Why nobody new can reach the host at its path; null: they can. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** Hosts the registry if nobody does. @returns whether this process is the host now @throws as HostLock */
  tryHost(): boolean {
    if (this.#host !== null) return true
    const { place, socketMode, log } = this.#options
    const lock = HostLock.tryTake(place)
    if (lock === null) return false
    try {
      this.#begin(lock.listen(socketMode), lock)
    } catch (error) {
      lock.close()
      throw error
    }
    log.logger.info({ registry: place.path }, 'hosting the registry')
    return true
  }

  /** Hosts the registry on a socket that somebody else makes and removes. Takes over the descriptor. */
  hostOn(listener: OwnedFd): void {
    this.#begin(listener, new InheritedSocket(this.#options.place.path))
  }

  /** Why this process does not host: another process does, or another process has the lock although nobody listens. */
  whyNot(): Error {
    const { path } = this.#options.place
    if (isReached(path)) return new IllegalStateError(`another process hosts the registry at ${path}`)
    const lockPath = lockPathOf(path)
    return new IllegalStateError(
      `${describeHolder(lockPath)} holds the lock ${lockPath}, and nobody listens at ${path}: ` +
        'it is stopped, hangs, or is not memsvc; end it, or choose another --registry',
    )
  }

  /** Removes the socket, ends every connection, and gives the lock back, in this order. Idempotent. */
  close(): void {
    clearInterval(this.#checkTimer)
    try {
      this.#endpoint?.removeSocket()
    } finally {
      this.#host?.close()
      this.#endpoint?.close()
    }
  }

  #begin(listener: OwnedFd, endpoint: RegistryEndpoint): void {
    this.#host = new RegistryHost({ ...this.#options, listener })
    this.#endpoint = endpoint
    this.#checkTimer = setInterval(() => this.#check(endpoint), CHECK_MS).unref()
  }

  #check(endpoint: RegistryEndpoint): void {
    try {
      if (!endpoint.isInPlace) this.#restore(endpoint)
      if (endpoint.isInPlace) this.#report(null)
    } catch (error) {
      if (error instanceof PathTakenError) this.#giveUp(error)
      else this.#report((error as Error).message || String(errorCode(error)))
    }
  }

  #restore(endpoint: RegistryEndpoint): void {
    const { place, log } = this.#options
    const listener = endpoint.restore()
    if (listener !== null) this.#host?.listenOn(listener)
    if (endpoint.isInPlace)
      log.logger.warn({ registry: place.path }, 'the path no longer led to this daemon: it listens there again')
  }

  #giveUp(reason: Error): void {
    const { place, log, onLost } = this.#options
    clearInterval(this.#checkTimer)
    log.logger.error(
      { registry: place.path, reason: reason.message },
      'another process now hosts the registry: this daemon ends',
    )
    onLost(reason)
  }

  /** A trouble is one line of log, however long it lasts. */
  #report(trouble: string | null): void {
    if (trouble === this.#trouble) return
    const { place, log, onTrouble } = this.#options
    this.#trouble = trouble
    if (trouble === null) log.logger.info({ registry: place.path }, 'the path leads to this daemon again')
    else log.logger.error({ registry: place.path, reason: trouble }, 'new clients cannot reach the registry')
    onTrouble()
  }
}

function isReached(path: string): boolean {
  try {
    return isServed(path)
  } catch {
    return true
  }
}
