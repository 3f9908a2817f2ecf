/**
 * The answers of a daemon about its state: everything for its own user, for others only what they could find out anyway, and
 * numbers for Prometheus.
 */
import {
  type Activity,
  counters,
  type RegionStatus,
  type RegistryPlace,
  refundWhatWasRead,
  refusalCounts,
  type ServiceChannels,
} from '@memsvc/shared/internal'
import type { DaemonLog } from '../log/logger.ts'
import { packageVersion } from '../process/package-folder.ts'
import { ProcessStatus } from '../process/process-status.ts'
import type { Ledger } from '../quota/ledger.ts'
import type { Resource } from '../quota/limits.ts'
import { renderMetrics } from './metrics.ts'
import type { PublishedService } from './published-service.ts'
import type { Stores } from './stores.ts'
import { queuedBytes, topPeers, topUsers } from './usage.ts'

/** The parts of the daemon that have something to tell. */
export interface ReportSource {
  readonly place: RegistryPlace
  /** The name of the service; null if there is only the registry. */
  readonly name: string | null
  readonly ownUid: number
  readonly ledger: Ledger
  readonly log: DaemonLog
  /** By name. */
  readonly services: ReadonlyMap<string, PublishedService>
  readonly stores: Stores
  readonly channels: ServiceChannels<Resource>
  readonly isHost: () => boolean
}

export class DaemonReport {
  /** How often it became the host after another one had died. */
  takeovers = 0
  readonly reloads = { done: 0, failed: 0 }
  /** The file in force; null: none. */
  configuration: string | null
  readonly #source: ReportSource
  readonly #process = new ProcessStatus()

  constructor(configuration: string | null, source: ReportSource) {
    this.configuration = configuration
    this.#source = source
  }

  /** All of it, for the daemon's own user and root. */
  status(): object {
    const { place, log, name, ledger, channels, stores } = this.#source
    refundWhatWasRead()
    const { fds, mappings } = this.#process.counts(ledger.changes)
    return {
      name,
      registry: place.path,
      host: this.#source.isHost(),
      ...this.publicStatus(), // after these: people read it from the top
      watchers: ledger.used('watchers'),
      channels: channels.size,
      connections: ledger.used('connections'),
      fds,
      mappings,
      used: ledger.totals,
      droppedLogLines: log.dropped,
      regions: this.#regions(),
      stores: stores.status,
      ...this.#history(),
      configuration: this.configuration,
      log: { level: log.level, format: log.format },
      queuedBytes: queuedBytes(ledger),
      users: topUsers(ledger),
      peers: topPeers(ledger),
    }
  }

  /**
   * What any user may know, because it could find it out by itself: whose daemon it is, the value, and its protection.
   */
  publicStatus(): object {
    const { name, ownUid } = this.#source
    return {
      name,
      pid: process.pid,
      uid: ownUid,
      value: this.#service?.value ?? null,
      regions: this.#regions().map(({ seals, size }) => ({ seals, size })),
    }
  }

  /** Prometheus' text format 0.0.4. */
  metrics(): string {
    const { ledger, log, services, stores, isHost } = this.#source
    refundWhatWasRead()
    const { fds, mappings } = this.#process.counts(ledger.changes)
    return renderMetrics({
      version: packageVersion(),
      isHost: isHost(),
      startedAt: startedAt() / 1000,
      values: [...services.values()],
      stores: stores.status,
      used: ledger.totals,
      limits: ledger.limits,
      queuedBytes: queuedBytes(ledger),
      descriptors: fds,
      mappings,
      droppedLogLines: log.dropped,
      reloads: this.reloads,
      takeovers: this.takeovers,
    })
  }

  /** What it has done since it was started. */
  #history(): object {
    const { stores } = this.#source
    const ofStores = stores.status.reduce((sum, { activity }) => sum + activity.writes, 0)
    return {
      version: packageVersion(),
      startedAt: new Date(startedAt()).toISOString(),
      uptimeSeconds: Math.floor(process.uptime()),
      valueChangedAt: changedAt(this.#service?.activity),
      counts: {
        ...counters,
        writes: (this.#service?.activity.writes ?? 0) + ofStores,
        refusals: Object.fromEntries(refusalCounts()),
        reloads: this.reloads.done,
        takeovers: this.takeovers,
      },
    }
  }

  get #service(): PublishedService | undefined {
    return this.#source.services.get(this.#source.name ?? '')
  }

  #regions(): RegionStatus[] {
    return [...this.#source.services.values()].map(({ regionStatus }) => regionStatus)
  }
}

/** Of the process: milliseconds since 1970. */
function startedAt(): number {
  return Date.now() - Math.round(process.uptime() * 1000)
}

function changedAt(activity: Activity | undefined): string | null {
  return activity === undefined ? null : new Date(activity.changedAt).toISOString()
}
