/**
 * The client of the registry (android.os.ServiceManager): publish services, find them, wait for them.
 *
 * When the registry dies its client connects again by itself. What this process has published or asked to be told is
 * said again to the next registry; services already found live on, their channels do not pass through the registry.
 */
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { Binder } from '../binder/binder.ts'
import { contextFor } from '../binder/binder-context.ts'
import { inContext } from '../binder/calling-identity.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { failForCaller } from '../util/caller-stack.ts'
import { checkFunction, checkInteger, checkOptions, checkSignal, INT_MAX, show } from '../util/check.ts'
import { IllegalStateError, InvalidArgTypeError, InvalidArgValueError, ServiceNotFoundError } from '../util/errors.ts'
import { ANSWER_TIMEOUT_MS, type CallOptions, checkCallOptions } from '../util/patience.ts'
import { LastingLink } from './lasting-link.ts'
import { NotificationCallback, type OnRegistration } from './notifications.ts'
import { DUMP_PRIORITY_ALL, DUMP_PRIORITY_DEFAULT, type ServiceInfo } from './registry-interface.ts'
import { type ChannelPolicy, closeService, findAndOpen, openService } from './registry-link.ts'
import { findRegistry, type RegistryPlace } from './registry-path.ts'
import { retryOverloaded } from './retry.ts'
import { defaultPolicy } from './service-channels.ts'
import { checkServiceLimits, type ServiceLimits } from './service-limits.ts'
import { isServiceName } from './service-name.ts'
import { ServiceWaits } from './service-waits.ts'

/** Where the registry is, and how long to try: `path` or `scope`, else MEMSVC_REGISTRY, else the user's or the machine's. */
export interface ConnectOptions {
  /** The registry's socket, wherever it lies. At most 107 bytes. Not together with `scope`. */
  path?: string | undefined
  /** The user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock, or the machine's, /run/memsvc/registry.sock. */
  scope?: 'user' | 'system' | undefined
  /** The uid of a user who is trusted with the registry and the way to it, besides root and this process's own. */
  registryOwner?: number | undefined
  /** Ends the wait for a registry that has too many at its door. */
  signal?: AbortSignal | undefined
}

/** How to connect, and what for. */
export interface ManagerOptions extends ConnectOptions {
  /**
   * What the clients of the services published by this manager may take of this process, all together, each user and each
   * client, instead of the defaults in the package's README. Who is over a limit is told ERR_LIMIT. The own user and root
   * are bound by the totals only.
   */
  limits?: ServiceLimits | undefined
}

/** How a service is listed, and how long to wait for the registry. */
export interface AddServiceOptions extends CallOptions {
  /** CRITICAL 1, HIGH 2, NORMAL 4, DEFAULT 8, or several of them. */
  dumpPriority?: number
}

/** A client of the registry. It owns its connection, and what it has published, until `close()`. */
export class ServiceManager {
  readonly #path: string
  readonly #link: LastingLink
  readonly #waits: ServiceWaits

  private constructor(place: RegistryPlace, policy: ChannelPolicy) {
    this.#path = place.path
    this.#link = new LastingLink(place, policy)
    this.#waits = new ServiceWaits(this.#link)
    keepFromCloning(this)
  }

  /**
   * Connects to the registry. An idle connection does not keep the process alive; a published service or a
   * notification does.
   * @throws ERR_REGISTRY_UNAVAILABLE nobody is there; ERR_SECURITY the socket is closed to this user, others may change the
   *   way to it, or it is neither root's, this user's nor the registryOwner's; ERR_INVALID_ARG_VALUE a path over 107 bytes, limits of what is none,
   *   `path` and `scope`, the user's registry without XDG_RUNTIME_DIR; ERR_OUT_OF_RANGE a registryOwner that is no uid;
   *   AbortError; EAGAIN too many have been waiting for it to accept them for 5 s
   */
  static async connect(options: ManagerOptions = {}): Promise<ServiceManager> {
    checkOptions('options', options)
    checkSignal(options.signal)
    if (options.limits !== undefined) checkServiceLimits(options.limits)
    return ServiceManager.connectTo(findRegistry(options), defaultPolicy(options.limits ?? {}), options.signal)
  }

  /** For sibling packages: as connect, to a place that was found, and watches over the channels of services of this process. */
  static async connectTo(place: RegistryPlace, policy: ChannelPolicy, signal?: AbortSignal): Promise<ServiceManager> {
    try {
      return await retryOverloaded(() => new ServiceManager(place, policy), { signal })
    } catch (error) {
      return await failForCaller(error)
    }
  }

  /**
   * As the method, on a connection of this thread's own to the registry that `connect()` finds, which is made when it is first needed and
   * lasts (android.os.ServiceManager). `await` it.
   * @throws as connect and the method
   */
  static async getService(name: string): Promise<IBinder | null> {
    return (await defaultManager()).getService(name)
  }

  /** As the method: see the static getService. Published until the process ends. @throws as connect and the method */
  static async addService(name: string, binder: IBinder, options: AddServiceOptions = {}): Promise<void> {
    await (await defaultManager()).addService(name, binder, options)
  }

  /** As the method: see the static getService. @throws as connect and the method */
  static async checkService(name: string): Promise<IBinder | null> {
    return (await defaultManager()).checkService(name)
  }

  /** As the method: see the static getService. @throws as connect and the method */
  static async listServices(dumpPriority: number = DUMP_PRIORITY_ALL): Promise<string[]> {
    return (await defaultManager()).listServices(dumpPriority)
  }

  /** Whether there is a registry at the other end, as far as is known. */
  get isConnected(): boolean {
    return this.#link.isConnected
  }

  /** Who runs the registry, by the kernel's word: a uid. @throws as getService, where there is none any more */
  get registryUid(): number {
    return this.#link.current().holder.uid
  }

  /** For console.log: what it is, in one line. */
  [inspected](): string {
    return introduce(this, { path: this.#path, state: this.#link.state })
  }

  /** The socket's path. */
  get path(): string {
    return this.#path
  }

  /**
   * Publishes a service until this manager is closed or the process ends. Keeps the process alive.
   * @throws ERR_CLOSED; then by the registry, in Android's order: ERR_SECURITY not its uid nor root;
   *   ERR_INVALID_ARG_VALUE a null binder, a bad name; ERR_ILLEGAL_STATE another live process holds the name (the message
   *   has its pid); ERR_TIMEOUT, AbortError: it may be published all the same
   */
  async addService(name: string, binder: IBinder, options: AddServiceOptions = {}): Promise<void> {
    const added = binder ?? null
    if (added !== null && !(added instanceof Binder)) {
      throw new InvalidArgTypeError(`binder must be a local Binder, got ${show(binder)}`)
    }
    checkCallOptions(options)
    const dumpPriority = options.dumpPriority ?? DUMP_PRIORITY_DEFAULT
    checkInteger('dumpPriority', dumpPriority, 0, INT_MAX)
    const context = added === null ? null : contextFor(added)
    const registration = { binder: added, context, dumpPriority }
    await this.#link.add(typeof name === 'string' ? name : '', registration, inTime(options))
  }

  /**
   * Finds a service: its local binder when this process published it by this manager, otherwise a proxy with a channel
   * of its own, which its `close()` ends.
   * @returns null when there is none, or no such name can be
   * @throws ERR_REGISTRY_UNAVAILABLE, ERR_DEAD_OBJECT the registry went away, ERR_CLOSED; ERR_TIMEOUT it has not answered for 30 s,
   *   or as long as `options` say; AbortError
   */
  async getService(name: string, options: CallOptions = {}): Promise<IBinder | null> {
    checkCallOptions(options)
    return this.#link.ask(inTime(options), (registry) => findAndOpen(registry, name))
  }

  /** As getService; on Android it does not start a service that is not there, here neither does. */
  async checkService(name: string, options: CallOptions = {}): Promise<IBinder | null> {
    checkCallOptions(options)
    return this.#link.ask(inTime(options), async (registry) =>
      isServiceName(name) ? openService(await registry.checkService(name)) : null,
    )
  }

  /**
   * Waits until there is a service of that name, over restarts of the registry too. Keeps the process alive meanwhile.
   * @throws ERR_INVALID_ARG_VALUE a bad name; AbortError when `signal` fires; ERR_TIMEOUT after `timeoutMs`; ERR_CLOSED
   */
  async waitForService(name: string, options: CallOptions = {}): Promise<IBinder> {
    checkName(name)
    checkCallOptions(options)
    return this.#waits.waitFor(name, options)
  }

  /** The names of all services with one of these priorities, sorted. @throws ERR_OUT_OF_RANGE; as getService */
  async listServices(dumpPriority: number = DUMP_PRIORITY_ALL, options: CallOptions = {}): Promise<string[]> {
    checkInteger('dumpPriority', dumpPriority, 0, INT_MAX)
    checkCallOptions(options)
    const names = await this.#link.ask(inTime(options), (registry) => registry.listServices(dumpPriority))
    return (names ?? []).filter((name) => name !== null)
  }

  /** Ours, beyond Android: who holds the name; null for nobody. @throws as getService */
  async getServiceInfo(name: string, options: CallOptions = {}): Promise<ServiceInfo | null> {
    checkCallOptions(options)
    return this.#link.ask(inTime(options), (registry) => (isServiceName(name) ? registry.getServiceInfo(name) : null))
  }

  /**
   * Calls `callback` at every registration of the name, and at once when it is there already. Registered twice, called
   * twice. Keeps the process alive.
   * @throws ERR_INVALID_ARG_VALUE a bad name; ERR_NULL_POINTER; ERR_CLOSED
   */
  async registerForNotifications(name: string, callback: OnRegistration, options: CallOptions = {}): Promise<void> {
    checkName(name)
    checkFunction('callback', callback)
    checkCallOptions(options)
    const told = inContext('memsvc:OnRegistration', callback)
    const entry: NotificationCallback = new NotificationCallback(name, callback, () => this.#tell(entry, told))
    await this.#link.register(entry, inTime(options))
  }

  /** Removes every registration of this callback for this name. @throws ERR_ILLEGAL_STATE there is none; ERR_CLOSED */
  async unregisterForNotifications(name: string, callback: OnRegistration, options: CallOptions = {}): Promise<void> {
    checkCallOptions(options)
    this.#link.checkOpen()
    const mine = [...this.#link.callbacks].filter((entry) => entry.serviceName === name && entry.callback === callback)
    if (mine.length === 0) throw new IllegalStateError(`this callback is not registered for ${show(name)}`)
    await Promise.all(mine.map((entry) => this.#link.unregister(entry, inTime(options))))
  }

  /** Closes the connection: what was published here is withdrawn. Services that were found live on. Idempotent. */
  close(): void {
    this.#link.close()
    this.#waits.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  async #tell(entry: NotificationCallback, callback: OnRegistration): Promise<void> {
    // Nothing: it is gone again already. Its next registration comes with a notice of its own.
    const service = await this.#link.whileUp(inTime({}), (registry) => findAndOpen(registry, entry.serviceName))
    if (service === null) return
    if (this.#link.callbacks.has(entry)) callback(entry.serviceName, service)
    else closeService(service)
  }
}

/** A registry that is stopped is not gone: nobody waits for its answer for ever. */
function inTime({ signal, timeoutMs = ANSWER_TIMEOUT_MS }: CallOptions): CallOptions {
  return { signal, timeoutMs }
}

/** By the registry's path: the environment may have changed. */
const defaults = new Map<string, Promise<ServiceManager>>()

function defaultManager(): Promise<ServiceManager> {
  const place = findRegistry()
  let manager = defaults.get(place.path)
  if (manager === undefined) {
    manager = ServiceManager.connectTo(place, defaultPolicy({}))
    defaults.set(place.path, manager)
    manager.catch(() => defaults.delete(place.path))
  }
  return manager
}

function checkName(name: unknown): asserts name is string {
  if (!isServiceName(name)) {
    throw new InvalidArgValueError(
      `a service's name must be 1 to 127 characters of a-z A-Z 0-9 _ - . /, got ${show(name)}`,
    )
  }
}

/** Nobody has published it there, or not yet. */
export function noService(name: string, path: string): ServiceNotFoundError {
  return new ServiceNotFoundError(
    `No service published for: ${name} (at ${path}: 'memsvc list' shows all services, waitForService() waits)`,
  )
}
