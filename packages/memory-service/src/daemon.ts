/**
 * The daemon, in four words: start, ready, drain, stop. It touches no argument, environment or signal; `commands/start.ts`
 * hands it what it needs.
 *
 * It talks to the registry as everybody does, over a connection, also when it hosts the registry itself. When the host
 * dies, whoever of the survivors takes the lock hosts from then on, and every service registers again by itself.
 */
import { type Binder, IWatch, LimitError, ServiceManager } from '@memsvc/shared'
import { type Caller, IControl, type OwnedFd, type Session, Signal, Violation } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import { type Account, Ledger } from './ledger.ts'
import { MemoryService } from './memory-service.ts'
import { countDescriptors, countRegionMappings } from './process-status.ts'
import { HostLock } from './registry/listener.ts'
import { RegistryHost } from './registry/registry-host.ts'
import { ControlService, WatchService } from './service-extensions.ts'
import { Watchers } from './watchers.ts'
import type { Writers } from './writers.ts'

export interface DaemonOptions {
  readonly registryPath: string
  /** The service to publish; null: the registry alone. */
  readonly serviceName: string | null
  readonly socketMode: number
  readonly writers: Writers
  readonly ownUid: number
  /** A listener from systemd: hosted as it is, without a lock, and never unlinked. */
  readonly inheritedListener: OwnedFd | null
  readonly logger: Logger
}

/** Milliseconds between two looks at a registry whose host has just died or has just been born. */
const RETRY_MS = 20
const RETRIES = 250

export class Daemon {
  readonly #options: DaemonOptions
  readonly #ledger: Ledger
  readonly #watchers = new Watchers()
  readonly #channels = new Map<Session, Account>()
  #lock: HostLock | null = null
  #host: RegistryHost | null = null
  #manager: ServiceManager | null = null
  #service: MemoryService | null = null
  #takeover: NodeJS.Timeout | undefined
  #isStopping = false
  readonly #stopped = new Signal()

  constructor(options: DaemonOptions) {
    this.#options = options
    this.#ledger = new Ledger(options.ownUid)
  }

  get isHost(): boolean {
    return this.#host !== null
  }

  /** Resolves once stop() has been called and carried out. */
  async untilStopped(): Promise<void> {
    await this.#stopped.wait()
  }

  /**
   * Hosts the registry if nobody does, makes the region, publishes the service. Usable when this resolves.
   * @throws ERR_ILLEGAL_STATE the name is held by another process; ERR_SECURITY; errors of the socket and the region
   */
  async start(): Promise<void> {
    const { inheritedListener, serviceName } = this.#options
    if (inheritedListener !== null) this.#hostOn(inheritedListener)
    if (serviceName === null) await this.#hostOrFail()
    else await this.#publish(serviceName)
  }

  /** Withdraws everything, tells nobody twice, and lets go of all. Idempotent. */
  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    clearTimeout(this.#takeover)
    this.#manager?.close()
    for (const session of this.#channels.keys()) session.close()
    this.#host?.close()
    this.#lock?.close()
    this.#service?.close()
    this.#stopped.raise()
  }

  status(): object {
    return {
      name: this.#options.serviceName,
      registry: this.#options.registryPath,
      host: this.isHost,
      pid: process.pid,
      uid: this.#options.ownUid,
      value: this.#service?.value ?? null,
      watchers: this.#watchers.size,
      channels: this.#channels.size,
      connections: this.#ledger.used('connections'),
      fds: countDescriptors(),
      mappings: countRegionMappings(),
      regions: this.#service === null ? [] : [this.#service.region],
    }
  }

  async #hostOrFail(): Promise<void> {
    if (this.#host === null && !this.#tryHost()) {
      throw new Error(`another process hosts the registry at ${this.#options.registryPath}`)
    }
  }

  async #publish(name: string): Promise<void> {
    const manager = await this.#connect()
    this.#manager = manager
    this.#service = this.#makeService()
    await manager.addService(name, this.#service)
  }

  /** To the registry that is there, or to one of our own. Between the two lies the moment in which a host comes or goes. */
  async #connect(): Promise<ServiceManager> {
    const { registryPath: path } = this.#options
    for (let left = RETRIES; ; left--) {
      if (this.#host === null) this.#tryHost()
      try {
        return await ServiceManager.connectWith(
          { path },
          {
            onOpen: (session) => this.#onChannel(session),
            admit: (session, caller) => this.#admit(session, caller),
            onEnd: (session, reason) => this.#onChannelEnd(session, reason),
            onOutage: () => this.#onOutage(),
          },
        )
      } catch (error) {
        if (this.#host !== null || left === 0) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  #makeService(): MemoryService {
    const watch = new WatchService(this.#watchers, (session) => this.#channels.get(session))
    const control = new ControlService({
      ownUid: this.#options.ownUid,
      status: () => this.status(),
      onStop: (uid) => {
        this.#options.logger.info({ uid }, 'asked to stop')
        this.stop()
      },
    })
    const extensions = new Map<number, Binder>()
    for (const { code } of Object.values(IWatch.methods)) extensions.set(code, watch)
    for (const { code } of Object.values(IControl.methods)) extensions.set(code, control)
    return new MemoryService({ writers: this.#options.writers, extensions, onChange: () => this.#watchers.changed() })
  }

  // --- hosting ---

  #tryHost(): boolean {
    const { registryPath, socketMode, logger } = this.#options
    const lock = HostLock.tryTake(registryPath)
    if (lock === null) return false
    try {
      this.#hostOn(lock.listen(socketMode))
    } catch (error) {
      lock.close()
      throw error
    }
    this.#lock = lock
    logger.info({ registry: registryPath }, 'hosting the registry')
    return true
  }

  #hostOn(listener: OwnedFd): void {
    const { logger, ownUid } = this.#options
    this.#host = new RegistryHost({ listener, ledger: this.#ledger, logger, ownUid })
  }

  /** The host is gone. One of those who were not host takes the lock; the others find him by connecting again. */
  #onOutage(): void {
    if (this.#isStopping || this.#host !== null || this.#options.inheritedListener !== null) return
    clearTimeout(this.#takeover)
    try {
      if (this.#tryHost()) return
    } catch (error) {
      this.#options.logger.error({ err: error }, 'cannot take the registry over')
    }
    this.#takeover = setTimeout(() => {
      if (this.#manager !== null && !this.#manager.isConnected) this.#onOutage()
    }, RETRY_MS)
  }

  // --- channels to the memory service ---

  #onChannel(session: Session): void {
    this.#channels.set(session, this.#ledger.open(session.caller.uid))
  }

  #admit(session: Session, caller: Caller): LimitError | null {
    const account = this.#ledger.open(caller.uid)
    try {
      account.charge('channels')
    } catch (error) {
      if (error instanceof LimitError) return error
      throw error
    }
    this.#channels.set(session, account)
    return null
  }

  #onChannelEnd(session: Session, reason: Error): void {
    const account = this.#channels.get(session)
    this.#channels.delete(session)
    const { pid, uid } = session.caller
    const { logger } = this.#options
    if (account?.rest.includes('channels')) account.refund('channels')
    if (reason instanceof Violation) logger.warn({ pid, uid, reason: reason.message }, 'channel ended: violation')
    if (account !== undefined && account.rest.length > 0) {
      logger.error({ pid, uid, rest: account.rest }, 'not refunded: a bug')
    }
  }
}
