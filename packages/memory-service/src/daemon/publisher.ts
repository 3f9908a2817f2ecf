/**
 * Publishes the services of a daemon, and keeps them published. It talks to the registry over a connection, like every
 * other process, even if this process hosts the registry. When the host dies, the surviving daemon that gets the lock
 * becomes the host, and every service registers again by itself.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Binder, ClosedError, errorCode, ServiceManager } from '@memsvc/shared'
import { isOutage, type RegistryPlace, type ServiceChannels } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import type { Resource } from '../quota/limits.ts'
import type { Hosting } from '../registry/hosting.ts'

export interface PublisherOptions {
  readonly place: RegistryPlace
  readonly hosting: Hosting
  /** How channels to the services are accepted. */
  readonly policy: ServiceChannels<Resource>['policy']
  readonly logger: Logger
  /** Another process has the name now. */
  readonly onNameLost: (name: string, error: unknown) => void
  /** This process hosts the registry now, after another. */
  readonly onTakeover: () => void
}

/** Milliseconds between two looks at a registry whose host has just died or has just been born, and for how long. */
const RETRY_MS = 20
const PATIENCE_MS = 5000
/** The same, while somebody has the lock and does not listen: longer than a host takes to notice that its socket is gone. */
const PATIENCE_WITH_LOCK_MS = 3000
/** The same, when something stands in the way of hosting it that somebody has to remove. */
const RETRY_AFTER_ERROR_MS = 1000

export class Publisher {
  readonly #options: PublisherOptions
  #manager: ServiceManager | null = null
  #takeover: NodeJS.Timeout | undefined
  #takeoverTrouble = ''
  #isClosed = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** At the registry that is there, or at one of our own. Between the two a host may be coming, or going. */
  async publish(name: string, binder: Binder): Promise<void> {
    const { hosting } = this.#options
    const begin = performance.now()
    for (;;) {
      try {
        hosting.tryHost()
        this.#manager ??= await this.#connect()
        await this.#manager.addService(name, binder)
        return
      } catch (error) {
        if (!isOutage(error)) throw error
        const waited = performance.now() - begin
        if (!hosting.isHost && isNobodyThere(error) && waited > PATIENCE_WITH_LOCK_MS) throw hosting.whyNot()
        if (waited > PATIENCE_MS) throw error
      }
      await delay(RETRY_MS)
      if (this.#isClosed) throw new ClosedError('the daemon was stopped')
    }
  }

  /** Withdraws the services. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#takeover)
    this.#manager?.close()
  }

  #connect(): Promise<ServiceManager> {
    const { place, policy, onNameLost } = this.#options
    return ServiceManager.connectTo(place, { ...policy, onOutage: () => this.#takeOver(), onNameLost })
  }

  /** The host is gone. One of the surviving processes takes the lock, and the others connect to it. */
  #takeOver(): void {
    if (this.#isClosed) return
    let pauseMs = RETRY_MS
    try {
      if (this.#options.hosting.tryHost()) {
        this.#options.onTakeover()
        return
      }
    } catch (error) {
      this.#sayOnce(error as Error)
      pauseMs = RETRY_AFTER_ERROR_MS
    }
    clearTimeout(this.#takeover)
    this.#takeover = setTimeout(() => {
      if (this.#manager?.isConnected === false) this.#takeOver()
    }, pauseMs)
  }

  /** What stands in the way of taking over is one line of log, however often it is tried. */
  #sayOnce(error: Error): void {
    if (error.message === this.#takeoverTrouble) return
    this.#takeoverTrouble = error.message
    this.#options.logger.error({ err: error }, 'cannot take over the registry')
  }
}

function isNobodyThere(error: unknown): boolean {
  return errorCode(error) === 'ERR_REGISTRY_UNAVAILABLE'
}
