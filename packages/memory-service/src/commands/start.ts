/** `memsvc start` and `memsvc registry`: from options to a running daemon, and from signals to its end. */
import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { daemonRegistryPath } from '@memsvc/shared/internal'
import { Daemon } from '../daemon.ts'
import { EXIT_DONE, exitCodeOf } from '../exit-codes.ts'
import { hardenProcess } from '../hardening.ts'
import { takeInheritedListener } from '../inherited-listener.ts'
import { type DaemonLog, openLog } from '../logger.ts'
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

/** @returns the exit status, once the daemon has ended */
export async function start(options: StartOptions): Promise<number> {
  hardenProcess()
  const ownUid = process.getuid?.() ?? 0
  const inheritedListener = takeInheritedListener(process.env, process.pid)
  const notifier = ServiceNotifier.fromEnvironment(process.env)
  const registryPath = daemonRegistryPath({ path: options.registry })
  const writers = parseWriters(options.writers, ownUid)
  const log = openLog(options.logLevel)
  const serviceName = options.registryOnly ? null : (options.name ?? DEFAULT_SERVICE_NAME)
  const daemon = new Daemon({
    registryPath,
    serviceName,
    socketMode: options.socketMode,
    writers,
    ownUid,
    inheritedListener,
    logger: log.logger,
  })
  stopOnSignals(daemon, log)
  try {
    await daemon.start()
  } catch (error) {
    daemon.stop()
    await log.close()
    process.stderr.write(`memsvc: ${error instanceof Error ? error.message : String(error)}\n`)
    return exitCodeOf(error)
  }
  if (notifier.problem !== null) log.logger.warn(notifier.problem)
  log.logger.info({ name: serviceName, registry: registryPath, host: daemon.isHost }, 'ready')
  notifier.ready(`serving ${serviceName ?? 'the registry'}`)
  await daemon.untilStopped()
  notifier.stopping()
  notifier.close()
  log.logger.info('stopped')
  await log.close()
  return EXIT_DONE
}

/** The first signal ends the daemon cleanly, the second at once. */
function stopOnSignals(daemon: Daemon, log: DaemonLog): void {
  const numbers = { SIGTERM: 15, SIGINT: 2 }
  let isFirst = true
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!isFirst) process.exit(128 + numbers[signal])
      isFirst = false
      log.logger.info({ signal }, 'stopping')
      daemon.stop()
    })
  }
}
