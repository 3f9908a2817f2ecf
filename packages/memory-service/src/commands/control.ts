/** `memsvc status`, `list`, `stop`, `reload`, `metrics` and `log`: short calls to a daemon that runs, each within a deadline. */
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME, errorCode, type ServiceManager, ServiceNotFoundError } from '@memsvc/shared'
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
  writeOutput,
} from '@memsvc/shared/internal'
import { Output, tell } from './output.ts'
import { type Report, statusText } from './status-text.ts'

export interface ControlCommandOptions extends RegistryOptions {
  readonly json?: boolean
  /** `--timeout SECONDS` */
  readonly timeout?: string
  /** Milliseconds that a first attempt has taken of the command's time. */
  readonly spentMs?: number
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
  const report = await readReport(daemon)
  out.line(statusText(report, options.json))
  return EXIT.done
}

/** What a daemon says of itself. */
export async function readReport(daemon: Reached): Promise<Report> {
  const report = JSON.parse((await daemon.inTime(daemon.control.status())) ?? '{}') as Report
  // As it was reached from here: the daemon may have it by another name.
  return { ...report, registry: daemon.manager.path }
}

export async function list(options: ControlCommandOptions, out: Output): Promise<ExitCode> {
  const deadline = new Deadline(readTimeout(options.timeout))
  using manager = await connectInTime(readRegistryOptions(options), deadline)
  for await (const holder of listHolders(manager, deadline)) {
    out.answer(holder, `${holder.name}\tpid ${holder.pid}\tuid ${holder.uid}`, options)
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
  if (options.json !== true) tell(`stopping ${name} (pid ${pid}) at ${manager.path}`)
  await daemon.inTime(unlessGone(async () => control.stop()))
  while ((await findHolder(manager, name, deadline))?.pid === pid) {
    await deadline.within(delay(POLL_MS), `${name} (pid ${pid})`, 'ended')
  }
  out.answer({ name, pid, stopped: true }, `${name} stopped (pid ${pid})`, options)
  return EXIT.done
}

/** Makes a daemon read its configuration again. */
export async function reload(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions,
  out: Output,
): Promise<ExitCode> {
  using daemon = await reach(name, options)
  await daemon.inTime(daemon.control.reload()).catch((error: unknown) => {
    if (isAnswer(error)) error.message += '; the old settings stay'
    throw error
  })
  out.answer({ name, reloaded: true }, `${name} reloaded`, options)
  return EXIT.done
}

/** What the daemon says of its configuration, and not that it does not answer. */
function isAnswer(error: unknown): error is Error {
  return ['ERR_INVALID_ARG_VALUE', 'ERR_LIMIT'].includes(errorCode(error) ?? '')
}

/** Its numbers, for Prometheus. */
export async function metrics(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions & { readonly output?: string },
  out: Output,
): Promise<ExitCode> {
  using daemon = await reach(name, options)
  const text = (await daemon.inTime(daemon.control.metrics())) ?? ''
  const { output = '-' } = options
  const answer = (place: Output) => place.answer({ name, metrics: text }, text.trimEnd(), options)
  if (output === '-') answer(out)
  else await writeOutput(output, async (place) => answer(new Output(place.fd, place.name)))
  return EXIT.done
}

/** Shows, or changes, how it writes its log. */
export async function log(
  name = DEFAULT_SERVICE_NAME,
  options: ControlCommandOptions & { readonly level?: string; readonly format?: string },
  out: Output,
): Promise<ExitCode> {
  using daemon = await reach(name, options)
  const answer = await daemon.inTime(daemon.control.log(options.level ?? null, options.format ?? null))
  const { level, format } = JSON.parse(answer ?? '{}') as { level: string; format: string }
  out.answer({ name, level, format }, `level ${level}, format ${format}`, options)
  return EXIT.done
}

/** A daemon that was found, and how long it may take. */
export interface Reached extends Disposable {
  readonly manager: ServiceManager
  readonly deadline: Deadline
  readonly control: Control
  readonly inTime: <T>(call: Promise<T> | T) => Promise<T>
}

/** The caller disposes of it; if this throws the command ends, and all that it had. @throws as connectInTime and findService */
export async function reach(name: string, options: ControlCommandOptions): Promise<Reached> {
  const deadline = new Deadline(readTimeout(options.timeout))
  deadline.spend(options.spentMs ?? 0)
  const manager = await connectInTime(readRegistryOptions(options), deadline)
  // A registry that ends during the question counts as one that is not running.
  const service = await unlessGone(() => findService(manager, name, deadline))
  if (service === null) throw notFound(manager, name)
  const asked = unlessGone(() => controlOf(service))
  const control = await deadline.within(asked, name)
  if (control === null) throw new ServiceNotFoundError(`the service ${name} has just ended`)
  return {
    manager,
    deadline,
    control,
    inTime: async (call) => deadline.within(Promise.resolve(call), name),
    [Symbol.dispose]: () => manager.close(),
  }
}
