/** `memsvc status`, `list` and `stop`: short calls to a daemon that runs. */
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME, errorCode, ServiceManager, ServiceNotFoundError } from '@memsvc/shared'
import { controlOf, type RegistryOptions, readRegistryOptions } from '@memsvc/shared/internal'
import { EXIT_DONE } from '../exit-codes.ts'
import { type Output, tell } from '../output.ts'

export interface ControlCommandOptions extends RegistryOptions {
  readonly json?: boolean
}

/** Milliseconds between two looks at a name that is to go. */
const POLL_MS = 10

type Control = Awaited<ReturnType<typeof controlOf>>

export async function status(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions,
  out: Output,
): Promise<number> {
  using manager = await ServiceManager.connect(readRegistryOptions(options))
  const report = JSON.parse((await (await findControl(manager, name)).status()) ?? '{}') as Record<string, unknown>
  report.registry = manager.path // as it was reached from here: the daemon may have it by another name
  if (options.json) out.json(report)
  else for (const [key, value] of Object.entries(report)) out.line(`${key}: ${showValue(value)}`)
  return EXIT_DONE
}

export async function list(options: ControlCommandOptions, out: Output): Promise<number> {
  using manager = await ServiceManager.connect(readRegistryOptions(options))
  for (const name of await manager.listServices()) {
    const info = await manager.getServiceInfo(name)
    if (info === null) continue // gone since it was listed
    if (options.json) out.json({ name, ...info })
    else out.line(`${name}\tpid ${info.pid}\tuid ${info.uid}`)
  }
  return EXIT_DONE
}

/** Asks the daemon to end, and waits until nobody can find it any more. */
export async function stop(name = DEFAULT_SERVICE_NAME, options: ControlCommandOptions, out: Output): Promise<number> {
  using manager = await ServiceManager.connect(readRegistryOptions(options))
  const control = await findControl(manager, name)
  const pid = (await unlessGone(() => manager.getServiceInfo(name)))?.pid ?? 0
  tell(`stopping ${name} (pid ${pid}) at ${manager.path}`)
  await unlessGone(async () => control.stop())
  while ((await unlessGone(() => manager.getServiceInfo(name)))?.pid === pid) await delay(POLL_MS)
  if (options.json) out.json({ name, pid, stopped: true })
  else out.line(`${name} stopped (pid ${pid})`)
  return EXIT_DONE
}

/** Makes a daemon read its configuration again. */
export async function reload(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions,
  out: Output,
): Promise<number> {
  using manager = await ServiceManager.connect(readRegistryOptions(options))
  await (await findControl(manager, name)).reload()
  if (options.json) out.json({ name, reloaded: true })
  else out.line(`${name} reloaded`)
  return EXIT_DONE
}

async function findControl(manager: ServiceManager, name: string): Promise<Control> {
  // A registry that ends while it is asked is one that is not there.
  const binder = await unlessGone(() => manager.getService(name))
  if (binder === null)
    throw new ServiceNotFoundError(`no service ${JSON.stringify(name)}; 'memsvc list' shows what there is`)
  return controlOf(binder)
}

/** null when the daemon, or the registry that it hosted, is gone. */
async function unlessGone<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (['ERR_REGISTRY_UNAVAILABLE', 'ERR_DEAD_OBJECT'].includes(errorCode(error) ?? '')) return null
    throw error
  }
}

function showValue(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
