/** `memsvc status`, `list`, `stop` and `reload`: short calls to a daemon that runs, each within a deadline. */
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME, type ServiceManager, ServiceNotFoundError } from '@memsvc/shared'
import {
  connectInTime,
  controlOf,
  Deadline,
  EXIT,
  type ExitCode,
  findHolder,
  findService,
  listHolders,
  notFound,
  type RegistryOptions,
  readRegistryOptions,
  readTimeout,
  unlessGone,
} from '@memsvc/shared/internal'
import { type Output, tell } from './output.ts'

export interface ControlCommandOptions extends RegistryOptions {
  readonly json?: boolean
  /** `--timeout SECONDS` */
  readonly timeout?: string
}

/** Milliseconds between two looks at a name that is to go. */
const POLL_MS = 10

type Control = Awaited<ReturnType<typeof controlOf>>

export async function status(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions,
  out: Output,
): Promise<ExitCode> {
  using daemon = await reach(name, options)
  const report = JSON.parse((await daemon.inTime(daemon.control.status())) ?? '{}') as Record<string, unknown>
  report.registry = daemon.manager.path // as it was reached from here: the daemon may have it by another name
  if (options.json) out.json(report)
  else for (const [key, value] of Object.entries(report)) out.line(`${key}: ${showValue(value)}`)
  return EXIT.done
}

export async function list(options: ControlCommandOptions, out: Output): Promise<ExitCode> {
  const deadline = new Deadline(readTimeout(options.timeout))
  using manager = await connectInTime(readRegistryOptions(options), deadline)
  for await (const holder of listHolders(manager, deadline)) {
    if (options.json) out.json(holder)
    else out.line(`${holder.name}\tpid ${holder.pid}\tuid ${holder.uid}`)
  }
  return EXIT.done
}

/** Asks the daemon to end, and waits until nobody can find it any more. */
export async function stop(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions,
  out: Output,
): Promise<ExitCode> {
  using daemon = await reach(name, options)
  const { manager, deadline, control } = daemon
  const pid = (await findHolder(manager, name, deadline))?.pid ?? 0
  tell(`stopping ${name} (pid ${pid}) at ${manager.path}`)
  await daemon.inTime(unlessGone(async () => control.stop()))
  while ((await findHolder(manager, name, deadline))?.pid === pid) {
    await deadline.within(delay(POLL_MS), `${name} (pid ${pid})`, 'ended')
  }
  if (options.json) out.json({ name, pid, stopped: true })
  else out.line(`${name} stopped (pid ${pid})`)
  return EXIT.done
}

/** Makes a daemon read its configuration again. */
export async function reload(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions,
  out: Output,
): Promise<ExitCode> {
  using daemon = await reach(name, options)
  await daemon.inTime(daemon.control.reload())
  if (options.json) out.json({ name, reloaded: true })
  else out.line(`${name} reloaded`)
  return EXIT.done
}

/** A daemon that was found, and how long it may take. */
interface Reached extends Disposable {
  readonly manager: ServiceManager
  readonly deadline: Deadline
  readonly control: Control
  readonly inTime: <T>(call: Promise<T> | T) => Promise<T>
}

/** The caller disposes of it. @throws as connectInTime and findService */
async function reach(name: string, options: ControlCommandOptions): Promise<Reached> {
  const deadline = new Deadline(readTimeout(options.timeout))
  const manager = await connectInTime(readRegistryOptions(options), deadline)
  try {
    // A registry that ends while it is asked is one that is not there.
    const service = await unlessGone(() => findService(manager, name, deadline))
    if (service === null) throw notFound(manager, name)
    const asked = unlessGone(() => controlOf(service))
    const control = await deadline.within(asked, name)
    if (control === null) throw new ServiceNotFoundError(`${name} has just gone`)
    return {
      manager,
      deadline,
      control,
      inTime: async (call) => deadline.within(Promise.resolve(call), name),
      [Symbol.dispose]: () => manager.close(),
    }
  } catch (error) {
    manager.close()
    throw error
  }
}

function showValue(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
