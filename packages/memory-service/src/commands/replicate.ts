/** `memsvc replicate`: a process that keeps a copy of values of an etcd cluster as a store of the local registry. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Binder, errorCode, ServiceManager } from '@memsvc/shared'
import {
  type Caller,
  type ChannelPolicy,
  EXIT,
  type ExitCode,
  findRegistry,
  type RegistryOptions,
  type RegistryPlace,
  readRegistryOptions,
  withoutContext,
} from '@memsvc/shared/internal'
import { Access } from '../access/access.ts'
import { findPeople } from '../access/people.ts'
import { StoreAccess } from '../access/store-access.ts'
import { configurationPath, readConfiguration } from '../config/configuration.ts'
import { type ReplicateOverrides, settingsOf } from '../config/replicate.ts'
import { ControlService } from '../daemon/control-service.ts'
import { renderReplicationMetrics } from '../daemon/replication-metrics.ts'
import type { LogFormat } from '../log/log-settings.ts'
import { DaemonLog } from '../log/logger.ts'
import { hardenProcess } from '../process/hardening.ts'
import { CopyLog } from '../replication/copy-log.ts'
import { loadReplication, type Replication } from '../replication/load.ts'
import { OfferedName, type OfferedNameParts } from '../replication/offered-name.ts'
import { NotifySocket } from '../systemd/notify-socket.ts'
import { ServiceNotifier, takeWatchdogLimit } from '../systemd/service-notifier.ts'
import { logWarnings, stopOnSignals } from './endings.ts'

export interface ReplicateOptions extends RegistryOptions, ReplicateOverrides {
  readonly config?: string
  readonly writers: readonly string[]
  /** Seconds after which the store is published even if it is not live yet. */
  readonly readyWithin: number
  readonly logLevel: string
  readonly logFormat: LogFormat
}

/** Between two looks for a registry. */
const REGISTRY_PAUSE_MS = 200

/**
 * @returns the exit code, once it was asked to end
 * @throws errors of the configuration; ERR_ILLEGAL_STATE if another process has the name
 */
export async function replicate(options: ReplicateOptions): Promise<ExitCode> {
  hardenProcess()
  const place = findRegistry(readRegistryOptions(options))
  const path = configurationPath(options.config, place.path, process.env)
  const { rules, replicate: configured } = await readConfiguration(path, place.trusted)
  const settings = settingsOf(configured, options, process.env)
  const { Replication } = await loadReplication()
  const access = new Access(process.getuid?.() ?? 0, { rules, writers: await findPeople(options.writers) })
  const storeAccess = new StoreAccess(access, settings.name, [])
  const log = new DaemonLog(options.logLevel, { format: options.logFormat })
  const { logger } = log
  logWarnings(log.peers)
  const socket = NotifySocket.take(process.env)
  const watchdogMs = takeWatchdogLimit(process.env, process.pid)
  const copyLog = new CopyLog(logger)
  const replication = new Replication({
    settings,
    mayWrite: withoutContext((caller: Caller, key: string) => storeAccess.mayWrite(caller, key)),
    onState: (state, why) => {
      notifier.changed()
      copyLog.state(state, why)
    },
    onProgress: (keys) => {
      notifier.changed()
      copyLog.progress(keys)
    },
  })
  const notifier = new ServiceNotifier({ socket, watchdogMs, status: () => statusLine(replication) })
  const end = new AbortController()
  const control = new ControlService({
    isOwner: (uid) => access.isOwner(uid),
    status: () => replication.status,
    reload: () => Promise.reject(new Error('memsvc replicate reads its configuration only at the start: restart it')),
    metrics: () => renderReplicationMetrics(replication.status),
    log,
    onStop: () => end.abort(),
  })
  replication.binder.setExtension(control)
  stopOnSignals(logger, () => end.abort())
  logger.info({ name: settings.name, endpoints: settings.endpoints, prefix: settings.prefix }, 'starting')
  replication.start()
  let manager: ServiceManager | null = null
  const names: OfferedName[] = []
  try {
    await Promise.race([replication.live, delay(options.readyWithin * 1000, undefined, { signal: end.signal })])
    const offer: OfferedNameParts['offer'] = (name, binder, channels) =>
      publish({ name, binder, place, policy: channels.policy, signal: end.signal })
    manager = await publish({ name: settings.name, binder: replication.binder, place, signal: end.signal })
    for (const value of replication.values) names.push(new OfferedName(value, { offer, logger }))
    logger.info({ name: settings.name, registry: place.path, state: replication.status.state }, 'ready')
    notifier.ready()
    await new Promise((resolve) => end.signal.addEventListener('abort', resolve))
    return EXIT.done
  } catch (error) {
    if (!end.signal.aborted) throw error
    return EXIT.done
  } finally {
    notifier.stopping()
    for (const name of names) name.close()
    manager?.close()
    await replication.close()
    logger.info('stopped')
    log.close()
  }
}

async function publish({ name, binder, place, policy, signal }: Offer): Promise<ServiceManager> {
  for (;;) {
    try {
      const manager =
        policy === undefined
          ? await ServiceManager.connect({ path: place.path, signal })
          : await ServiceManager.connectTo(place, policy, signal)
      try {
        await manager.addService(name, binder)
        return manager
      } catch (error) {
        manager.close()
        throw error
      }
    } catch (error) {
      if (!['ERR_REGISTRY_UNAVAILABLE', 'ERR_DEAD_OBJECT'].includes(errorCode(error) ?? '')) throw error
      await delay(REGISTRY_PAUSE_MS, undefined, { signal })
    }
  }
}

interface Offer {
  readonly name: string
  readonly binder: Binder
  readonly place: RegistryPlace
  /** Whose channels its are; absent: the library's own. */
  readonly policy?: ChannelPolicy
  readonly signal: AbortSignal
}

function statusLine(replication: Replication): string {
  const { state, keys, applied, reason } = replication.status
  return `${state}: ${keys} keys, revision ${applied}${reason === null ? '' : ` (${reason})`}`
}
