/** `memsvc start` and `memsvc registry`: from options to a running daemon, and from signals to its end. */
import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { daemonRegistryPath } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import { Daemon, type DaemonOptions } from '../daemon.ts'
import { EXIT_DONE } from '../exit-codes.ts'
import { hardenProcess } from '../hardening.ts'
import { takeInheritedListener } from '../inherited-listener.ts'
import { DaemonLog } from '../logger.ts'
import { ServiceNotifier } from '../systemd.ts'
import { parseWriters } from '../writers.ts'

export interface StartOptions {
  readonly registry?: string
  readonly name?: string
  readonly socketMode: number
  readonly writers: readonly string[]
  readonly logLevel: string
  /** The registry alone, no service. */
  readonly registryOnly: boolean
}

/** @returns the exit status, once the daemon has ended @throws as Daemon.start and Daemon.untilStopped */
export async function start(options: StartOptions): Promise<number> {
  hardenProcess()
  const config = readConfig(options)
  const notifier = ServiceNotifier.fromEnvironment(process.env)
  const { logger } = config.log
  logWarnings(logger)
  if (notifier.problem !== null) logger.warn(notifier.problem)
  const daemon = new Daemon(config)
  stopOnSignals(daemon, logger)
  try {
    if (await hasStarted(daemon)) {
      logger.info({ name: config.serviceName, registry: config.registryPath, host: daemon.isHost }, 'ready')
      notifier.ready(`serving ${config.serviceName ?? 'the registry'}`)
      await daemon.untilStopped()
    }
    return EXIT_DONE
  } finally {
    notifier.stopping()
    daemon.stop()
    notifier.close()
    logger.info('stopped')
    config.log.close()
  }
}

function readConfig(options: StartOptions): DaemonOptions {
  const ownUid = process.getuid?.() ?? 0
  return {
    registryPath: daemonRegistryPath({ path: options.registry }),
    serviceName: options.registryOnly ? null : (options.name ?? DEFAULT_SERVICE_NAME),
    socketMode: options.socketMode,
    writers: parseWriters(options.writers, ownUid),
    ownUid,
    inheritedListener: takeInheritedListener(process.env, process.pid),
    log: new DaemonLog(options.logLevel),
  }
}

/** The library reports what nobody can catch by process warnings; Node would print them as text, and wait for that. */
function logWarnings(logger: Logger): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => logger.warn({ err: warning }, 'warning'))
}

/** The first signal ends the daemon cleanly, the second at once. */
function stopOnSignals(daemon: Daemon, logger: Logger): void {
  const numbers = { SIGTERM: 15, SIGINT: 2 }
  let isFirst = true
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!isFirst) process.exit(128 + numbers[signal])
      isFirst = false
      logger.info({ signal }, 'stopping')
      daemon.stop()
    })
  }
}

/** False when it was stopped before it was ready, which is no failure. */
async function hasStarted(daemon: Daemon): Promise<boolean> {
  try {
    await daemon.start()
  } catch (error) {
    if (!daemon.isStopped) throw error
  }
  return !daemon.isStopped
}
