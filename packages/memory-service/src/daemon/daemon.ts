/**
 * The daemon, in four words: start, ready, drain, stop. It touches no argument, environment or signal; `commands/start.ts`
 * hands it what it needs.
 */
import type { Binder } from '@memsvc/shared'
import {
  Admission,
  type Caller,
  type RegistryPlace,
  ServiceChannels,
  Signal,
  withoutContext,
} from '@memsvc/shared/internal'
import type { OwnedFd } from 'memfd-native'
import { Access } from '../access/access.ts'
import type { Settings } from '../config/settings.ts'
import type { DaemonLog } from '../log/logger.ts'
import { Ledger } from '../quota/ledger.ts'
import type { Resource } from '../quota/limits.ts'
import { Gate } from '../registry/gate.ts'
import { Hosting } from '../registry/hosting.ts'
import type { ValueStore } from '../systemd/value-store.ts'
import { ControlService } from './control-service.ts'
import { DaemonReport } from './daemon-report.ts'
import type { Keeping } from './keeping.ts'
import { PublishedService } from './published-service.ts'
import { Publisher } from './publisher.ts'
import { Stores } from './stores.ts'

export interface DaemonOptions {
  readonly place: RegistryPlace
  /** The service to publish; null: the registry alone. */
  readonly serviceName: string | null
  readonly socketMode: number
  readonly ownUid: number
  readonly settings: Settings
  /** Reads them again. @throws ERR_INVALID_ARG_VALUE and the old ones stay */
  readonly readSettings: () => Promise<Settings>
  /** A listener from systemd. The daemon uses it without a lock, and never removes its path. */
  readonly inheritedListener: OwnedFd | null
  /** Where the value comes from, and where it is kept. The daemon owns it from now on. */
  readonly values: ValueStore
  /** The same, of stores. */
  readonly keeping: Keeping
  /** One of the {@link DaemonCounts} has changed. */
  readonly onCount: () => void
  readonly log: DaemonLog
}

/** How much there is of what the daemon serves. */
export interface DaemonCounts {
  /** Registered names, of all processes; 0 unless this daemon hosts the registry. */
  readonly services: number
  /** To this daemon's own service. */
  readonly channels: number
  readonly watchers: number
}

export class Daemon {
  readonly #options: DaemonOptions
  readonly #ledger: Ledger
  readonly #access: Access
  readonly #hosting: Hosting
  readonly #publisher: Publisher
  readonly #channels: ServiceChannels<Resource>
  /** By name. */
  readonly #services = new Map<string, PublishedService>()
  readonly #stores: Stores
  readonly #control: ControlService
  readonly #report: DaemonReport
  #isStopped = false
  #failure: unknown = null
  /** The reload under way, or the last one: they come one after the other. */
  #reloading: Promise<void> = Promise.resolve()
  readonly #stopped = new Signal()
  /** Open once what this daemon is there for can be found. */
  readonly #gate = new Gate()

  constructor(options: DaemonOptions) {
    const { place, socketMode, ownUid, settings, onCount, log } = options
    const ledger = new Ledger({ limits: settings.limits, ownUid, onChange: onCount })
    const access = new Access(ownUid, settings.access)
    this.#options = options
    this.#ledger = ledger
    this.#access = access
    this.#hosting = new Hosting({
      ...{ place, socketMode, access, ledger, log, gate: this.#gate },
      onLost: (reason) => this.#fail(reason),
      onTrouble: onCount,
    })
    this.#channels = new ServiceChannels(
      new Admission({ ledger, resource: 'channels', turnedAway: 'turnedAway', log: log.peers }),
    )
    this.#publisher = new Publisher({
      ...{ place, hosting: this.#hosting, policy: this.#channels.policy, logger: log.logger },
      onNameLost: (name, error) => this.#lose(name, error),
      onTakeover: () => {
        this.#report.takeovers += 1
      },
    })
    this.#control = this.#makeControl()
    this.#stores = new Stores({
      stores: settings.stores,
      access,
      control: this.#control,
      keeping: options.keeping,
      endChannels: (service) => this.#channels.closeOf(service),
      logger: log.logger,
    })
    this.#report = new DaemonReport(settings.configuration, {
      ...{ place, ownUid, ledger, log },
      name: options.serviceName,
      services: this.#services,
      stores: this.#stores,
      channels: this.#channels,
      isHost: () => this.isHost,
    })
  }

  get isHost(): boolean {
    return this.#hosting.isHost
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /**
   * Hosts the registry if nobody does, makes the region, publishes the service, and the stores after it. Usable when this resolves.
   * @throws ERR_ILLEGAL_STATE the name is held by another process; ERR_SECURITY; ERR_CLOSED stopped meanwhile; errors of
   *   the socket, the region and the areas
   */
  async start(): Promise<void> {
    const { inheritedListener, serviceName } = this.#options
    if (inheritedListener !== null) this.#hosting.hostOn(inheritedListener)
    if (serviceName !== null) await this.#serve(serviceName)
    else if (!this.#hosting.tryHost()) throw this.#hosting.whyNot()
    this.#gate.open()
  }

  /** Why nobody new can reach the registry that this daemon hosts; null: they can. */
  get trouble(): string | null {
    return this.#hosting.trouble
  }

  /** Resolves once stop() has been called. @throws ERR_ILLEGAL_STATE the name or the path was lost to another process */
  async untilStopped(): Promise<void> {
    await this.#stopped.wait()
    if (this.#failure !== null) throw this.#failure
  }

  /** Withdraws the service, ends every channel, and lets go of all. Idempotent. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#publisher.close()
    this.#channels.close()
    this.#hosting.close()
    for (const service of this.#services.values()) service.close()
    this.#stores.close()
    this.#options.values.close()
    this.#options.keeping.close()
    this.#stopped.raise()
  }

  /**
   * Reads the settings again. What was granted before stays, and no client is disconnected.
   * @throws ERR_INVALID_ARG_VALUE for a mistake in the settings; then the old ones stay
   */
  reload(): Promise<void> {
    const reloading = this.#reloading.then(() => this.#reload())
    this.#reloading = reloading.catch(() => undefined)
    return reloading
  }

  get counts(): DaemonCounts {
    return {
      services: this.#ledger.used('names'),
      channels: this.#ledger.used('channels'),
      watchers: this.#ledger.used('watchers'),
    }
  }

  async #reload(): Promise<void> {
    const { log, readSettings } = this.#options
    try {
      const { configuration, access, limits, stores } = await readSettings()
      await this.#stores.configure(stores, this.#publishStore)
      this.#access.rules = access
      this.#ledger.limits = limits
      this.#report.reloads.done += 1
      this.#report.configuration = configuration
      log.logger.info({ configuration }, 'reloaded')
    } catch (error) {
      this.#report.reloads.failed += 1
      log.logger.error(
        { reason: (error as Error).message },
        'the configuration was not reloaded: the old settings stay',
      )
      throw error
    }
  }

  async #serve(name: string): Promise<void> {
    const { values } = this.#options
    const service = this.#makeService(name, values.lastValue(name))
    this.#services.set(name, service)
    values.keep(name, service.region)
    await this.#publisher.publish(name, service.binder)
    await this.#stores.publish(this.#publishStore)
  }

  readonly #publishStore = (name: string, binder: Binder): Promise<void> => this.#publisher.publish(name, binder)

  #makeControl(): ControlService {
    return new ControlService({
      isOwner: (uid) => this.#access.isOwner(uid),
      status: (isOwner) => (isOwner ? this.#report.status() : this.#report.publicStatus()),
      reload: () => this.reload(),
      metrics: () => this.#report.metrics(),
      log: this.#options.log,
      onStop: (uid) => {
        this.#options.log.logger.info({ uid }, 'asked to stop')
        this.stop()
      },
    })
  }

  #makeService(name: string, initialValue: number): PublishedService {
    const mayWrite = withoutContext(({ uid }: Caller) => this.#access.allows('write', name, { uid }))
    return new PublishedService({ name, initialValue, mayWrite, control: this.#control })
  }

  #lose(name: string, error: unknown): void {
    if (!this.#stores.lose(name, error)) this.#fail(error)
  }

  /** Without its name, or its path, nobody finds the service: it ends, and says why. */
  #fail(reason: unknown): void {
    this.#failure = reason
    this.stop()
  }
}
