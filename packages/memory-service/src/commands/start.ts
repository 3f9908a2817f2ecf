/** `memsvc start` and `memsvc registry`: from options to a running daemon, and from signals to its end. */
import { DEFAULT_SERVICE_NAME, InvalidArgValueError } from '@memsvc/shared'
import { EXIT, type ExitCode, findRegistry, type RegistryOptions, readRegistryOptions } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import { readSettings, type Settings, type SettingsOptions } from '../config/settings.ts'
import { Daemon, type DaemonOptions } from '../daemon/daemon.ts'
import { Keeping } from '../daemon/keeping.ts'
import { logConsole } from '../log/library-console.ts'
import type { LogFormat } from '../log/log-settings.ts'
import { DaemonLog } from '../log/logger.ts'
import { hardenProcess } from '../process/hardening.ts'
import { raiseOpenFiles } from '../quota/descriptor-budget.ts'
import { StateFolder } from '../state/state-folder.ts'
import type { StateSync } from '../state/state-keeper.ts'
import { takeInheritedDescriptors } from '../systemd/inherited-descriptors.ts'
import { KeptAreas } from '../systemd/kept-areas.ts'
import { NotifySocket } from '../systemd/notify-socket.ts'
import { ServiceNotifier, takeWatchdogLimit } from '../systemd/service-notifier.ts'
import { ValueStore } from '../systemd/value-store.ts'
import { logWarnings, stopOnSignals } from './endings.ts'

export interface StartOptions extends SettingsOptions, RegistryOptions {
  readonly name?: string
  readonly socketMode: number
  readonly writers: readonly string[]
  readonly logLevel: string
  readonly logFormat: LogFormat
  /** The registry alone, no service. */
  readonly registryOnly: boolean
  /** `--no-store`: false */
  readonly store?: boolean
  /** `--state DIR` */
  readonly state?: string
  /** `--state-sync` */
  readonly stateSync?: StateSync
}

/** Microseconds for which systemd waits longer after each line about the reading of a state. */
const READING_MORE_USEC = 20_000_000

/** @returns the exit status, once the daemon has ended @throws as Daemon.start and Daemon.untilStopped */
export async function start(options: StartOptions): Promise<ExitCode> {
  hardenProcess()
  const config = await readConfig(options)
  const folder = await openState(options, config)
  const log = new DaemonLog(options.logLevel, { format: options.logFormat })
  const { logger } = log
  logConsole(logger)
  logWarnings(log.peers)
  logSettings(logger, config.settings)
  const socket = NotifySocket.take(process.env)
  const { listener, stored, ignored } = takeInheritedDescriptors({
    env: process.env,
    pid: process.pid,
    registryPath: config.place.path,
  })
  if (ignored !== null) logger.warn({ reason: ignored }, 'descriptors that the parent process passed are ignored')
  const values = new ValueStore(
    socket,
    stored.filter((each) => !KeptAreas.isOne(each)),
    logger,
  )
  const keeping = new Keeping({
    areas: new KeptAreas(socket, stored.filter(KeptAreas.isOne), logger),
    folder,
    sync: options.stateSync ?? 'behind',
    logger,
    onProgress: () => socket?.send(`EXTEND_TIMEOUT_USEC=${READING_MORE_USEC}\nSTATUS=reading the state`),
  })
  const onCount = () => notifier.changed()
  const daemon = new Daemon({ ...config, inheritedListener: listener, values, keeping, onCount, log })
  const watchdogMs = takeWatchdogLimit(process.env, process.pid)
  const notifier = new ServiceNotifier({ socket, watchdogMs, status: () => statusLine(daemon) })
  stopOnSignals(logger, () => daemon.stop())
  logger.info('starting')
  try {
    if (folder?.isLost === true)
      logger.warn(
        { folder: folder.path },
        'the state folder was used before, and has no values: the stores begin empty',
      )
    if (await hasStarted(daemon)) {
      folder?.endReading()
      logger.info({ name: config.serviceName, registry: config.place.path, host: daemon.isHost }, 'ready')
      notifier.ready()
      reloadOnSignal(daemon, notifier)
    }
    await daemon.untilStopped()
    return EXIT.done
  } finally {
    notifier.stopping()
    daemon.stop()
    logger.info('stopped')
    log.close()
  }
}

async function openState(options: StartOptions, { ownUid, place, settings }: Config): Promise<StateFolder | null> {
  const { state, stateSync } = options
  if (state === undefined && stateSync !== undefined) {
    throw new InvalidArgValueError('--state-sync needs --state')
  }
  if (state === undefined) return null
  if (state === '') throw new InvalidArgValueError('the folder of --state must not be empty')
  if (settings.stores.length === 0) throw new InvalidArgValueError('--state needs a store, and this daemon has none')
  return StateFolder.open(state, ownUid, place.trusted)
}

type Config = Omit<DaemonOptions, 'inheritedListener' | 'values' | 'keeping' | 'onCount' | 'log'>

async function readConfig(options: StartOptions): Promise<Config> {
  const place = findRegistry(readRegistryOptions(options))
  const openFiles = raiseOpenFiles()
  const serviceName = options.registryOnly ? null : (options.name ?? DEFAULT_SERVICE_NAME)
  // Of several daemons at one registry, with one configuration, the one with the default name has them.
  const hasStores = serviceName === DEFAULT_SERVICE_NAME && options.store !== false
  const read = () => readSettings({ options, place, env: process.env, openFiles, hasStores })
  return {
    place,
    serviceName,
    socketMode: options.socketMode,
    ownUid: process.getuid?.() ?? 0,
    settings: await read(),
    readSettings: read,
  }
}

function logSettings(logger: Logger, { configuration, lowered }: Settings): void {
  if (configuration !== null) logger.info({ configuration }, 'configured')
  if (Object.keys(lowered).length > 0)
    logger.info({ lowered }, 'limits were lowered, because the limit of open files is low')
}

function statusLine({ trouble, counts: { services, channels, watchers } }: Daemon): string {
  if (trouble !== null) return trouble
  return `services: ${services}, channels: ${channels}, watchers: ${watchers}`
}

function reloadOnSignal(daemon: Daemon, notifier: ServiceNotifier): void {
  process.on('SIGHUP', async () => {
    notifier.reloading()
    await daemon.reload().catch(() => undefined) // the log has it
    notifier.ready()
  })
}

/** false if it was stopped before it was ready, which is not a failure. */
async function hasStarted(daemon: Daemon): Promise<boolean> {
  try {
    await daemon.start()
  } catch (error) {
    if (!daemon.isStopped) throw error
  }
  return !daemon.isStopped
}
