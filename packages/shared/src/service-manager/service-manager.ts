/**
 * The client of the registry (android.os.ServiceManager): publish services, find them, wait for them.
 *
 * When the registry dies, its client connects again by itself, and registers the services and callbacks of this process
 * with the next registry. Services that were found stay connected, because their channels do not go through the
 * registry.
 */
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { Binder } from '../binder/binder.ts'
import { contextFor } from '../binder/binder-context.ts'
import { inContext } from '../binder/calling-identity.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { failForCaller } from '../util/caller-stack.ts'
import { checkFunction, checkInteger, checkOptions, checkSignal, INT_MAX, show } from '../util/check.ts'
import { IllegalStateError, InvalidArgTypeError } from '../util/errors.ts'
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
import { checkServiceName } from './service-name-errors.ts'
import { ServiceWaits } from './service-waits.ts'

/**
 * Which registry to use, and how long to try: `path` or `scope`, else MEMSVC_REGISTRY, else the user's registry or the
 * machine's.
 */
export interface ConnectOptions {
  /** The path of the registry's socket, at most 107 bytes. Not together with `scope`. */
  path?: string | undefined
  /** The user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock, or the machine's, /run/memsvc/registry.sock. */
  scope?: 'user' | 'system' | undefined
  /** The uid of another user who may run the registry and own its path, besides root and this process's user. */
  registryOwner?: number | undefined
  /** Ends the wait for a registry that has too many new connections. */
  signal?: AbortSignal | undefined
}

/** How to connect, and what clients of your services may use. */
export interface ManagerOptions extends ConnectOptions {
  /**
   * What clients of the services that this manager publishes may use of this process: in total, for each user and for
   * each client. They replace the defaults in the package's README. A client over a limit gets ERR_LIMIT. For this
   * process's user and root only the totals apply.
   */
  limits?: ServiceLimits | undefined
}

/** The priority of a service, and how long to wait for the registry. */
export interface AddServiceOptions extends CallOptions {
  /** CRITICAL 1, HIGH 2, NORMAL 4, DEFAULT 8, or a sum of them. */
  dumpPriority?: number
}

/**
 * A connection to the registry of services (android.os.ServiceManager). Until `close()` it owns the connection and the
 * services that it has published.
 */
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
   * Connects to the registry. An idle connection does not keep the process alive; a published service or a notification
   * does.
   * @throws ERR_REGISTRY_UNAVAILABLE if no registry runs there; ERR_SECURITY if the socket does not admit this user, if
   *   other users can change the path, or if the registry is run by another user than root, this user and the
   *   registryOwner; ERR_INVALID_ARG_VALUE for a path over 107 bytes, unknown limits, `path` together with `scope`, or
   *   the user's registry without XDG_RUNTIME_DIR; ERR_OUT_OF_RANGE for a registryOwner that is not a uid; AbortError;
   *   EAGAIN if the registry has accepted no connection for 5 s
   */
  static async connect(options: ManagerOptions = {}): Promise<ServiceManager> {
    checkOptions('options', options)
    checkSignal(options.signal)
    if (options.limits !== undefined) checkServiceLimits(options.limits)
    return ServiceManager.connectTo(findRegistry(options), defaultPolicy(options.limits ?? {}), options.signal)
  }

  /**
   * Only for memsvc's packages: like connect, to a registry that was found already, and with a choice of who supervises
   * the channels of this process's services.
   */
  static async connectTo(place: RegistryPlace, policy: ChannelPolicy, signal?: AbortSignal): Promise<ServiceManager> {
    try {
      return await retryOverloaded(() => new ServiceManager(place, policy), { signal })
    } catch (error) {
      return await failForCaller(error)
    }
  }

  /**
   * Like the method, on a default connection of this thread, which is made at the first use and kept
   * (android.os.ServiceManager). You must `await` it.
   * @throws as connect and the method
   */
  static async getService(name: string): Promise<IBinder | null> {
    return (await defaultManager()).getService(name)
  }

  /**
   * Like the method, on the default connection: see the static getService. The service is published until the process
   * ends.
   * @throws as connect and the method
   */
  static async addService(name: string, binder: IBinder, options: AddServiceOptions = {}): Promise<void> {
    await (await defaultManager()).addService(name, binder, options)
  }

  /**
   * Like the method, on the default connection: see the static getService.
   * @throws as connect and the method
   */
  static async checkService(name: string): Promise<IBinder | null> {
    return (await defaultManager()).checkService(name)
  }

  /**
   * Like the method, on the default connection: see the static getService.
   * @throws as connect and the method
   */
  static async listServices(dumpPriority: number = DUMP_PRIORITY_ALL): Promise<string[]> {
    return (await defaultManager()).listServices(dumpPriority)
  }

  /** Whether the registry is connected, as far as is known. */
  get isConnected(): boolean {
    return this.#link.isConnected
  }

  /**
   * The uid of the user who runs the registry, as the kernel reports it.
   * @throws as getService, if the registry is gone
   */
  get registryUid(): number {
    return this.#link.current().holder.uid
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { path: this.#path, state: this.#link.state })
  }

  /** The path of the registry's socket. */
  get path(): string {
    return this.#path
  }

  /**
   * Publishes a service until this manager is closed or the process ends. Keeps the process alive.
   * @throws ERR_CLOSED; then the registry's errors, in Android's order: ERR_SECURITY if this user is not allowed to add
   *   the name; ERR_INVALID_ARG_VALUE for a null binder or a bad name; ERR_ILLEGAL_STATE if another live process holds
   *   the name (the message has its pid). ERR_TIMEOUT or AbortError: it may have been published nevertheless
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
   * Finds a service. The result is the local binder if this manager published it; otherwise a proxy with a channel of
   * its own, which you own and `close()`.
   * @returns null if there is no such service, or if the name is not allowed
   * @throws ERR_REGISTRY_UNAVAILABLE or ERR_DEAD_OBJECT if the registry is gone; ERR_CLOSED; ERR_TIMEOUT if it has not
   *   answered in 30 s, or in the time that `options` allow; AbortError
   */
  async getService(name: string, options: CallOptions = {}): Promise<IBinder | null> {
    checkCallOptions(options)
    return this.#link.ask(inTime(options), (registry) => findAndOpen(registry, name))
  }

  /** Like getService. On Android it differs, because it does not start a service; here neither does. */
  async checkService(name: string, options: CallOptions = {}): Promise<IBinder | null> {
    checkCallOptions(options)
    return this.#link.ask(inTime(options), async (registry) =>
      isServiceName(name) ? openService(await registry.checkService(name)) : null,
    )
  }

  /**
   * Waits until a service has that name, also across restarts of the registry. It keeps the process alive meanwhile.
   * @throws ERR_INVALID_ARG_VALUE for a bad name; AbortError if `signal` fires; ERR_TIMEOUT after `timeoutMs`;
   *   ERR_CLOSED
   */
  async waitForService(name: string, options: CallOptions = {}): Promise<IBinder> {
    checkServiceName(name)
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

  /**
   * Which process holds the name; null if none does. Not in Android.
   * @throws as getService
   */
  async getServiceInfo(name: string, options: CallOptions = {}): Promise<ServiceInfo | null> {
    checkCallOptions(options)
    return this.#link.ask(inTime(options), (registry) => (isServiceName(name) ? registry.getServiceInfo(name) : null))
  }

  /**
   * Calls `callback` each time the name is registered, and at once if it is registered already. If you register the
   * callback twice, it is called twice. It keeps the process alive.
   * @throws ERR_INVALID_ARG_VALUE for a bad name; ERR_NULL_POINTER; ERR_CLOSED
   */
  async registerForNotifications(name: string, callback: OnRegistration, options: CallOptions = {}): Promise<void> {
    checkServiceName(name)
    checkFunction('callback', callback)
    checkCallOptions(options)
    const told = inContext('memsvc:OnRegistration', callback)
    const entry: NotificationCallback = new NotificationCallback(name, callback, () => this.#tell(entry, told))
    await this.#link.register(entry, inTime(options))
  }

  /**
   * Removes every registration of this callback for this name.
   * @throws ERR_ILLEGAL_STATE if there is none; ERR_CLOSED
   */
  async unregisterForNotifications(name: string, callback: OnRegistration, options: CallOptions = {}): Promise<void> {
    checkCallOptions(options)
    this.#link.checkOpen()
    const mine = [...this.#link.callbacks].filter((entry) => entry.serviceName === name && entry.callback === callback)
    if (mine.length === 0) throw new IllegalStateError(`this callback is not registered for ${show(name)}`)
    await Promise.all(mine.map((entry) => this.#link.unregister(entry, inTime(options))))
  }

  /**
   * Closes the connection, and withdraws the services that it has published. Proxies that it found stay open.
   * Idempotent.
   */
  close(): void {
    this.#link.close()
    this.#waits.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  async #tell(entry: NotificationCallback, callback: OnRegistration): Promise<void> {
    // undefined: the service is gone again. Its next registration has a notice of its own.
    const service = await this.#link.whileUp(inTime({}), (registry) => findAndOpen(registry, entry.serviceName))
    if (service === null) return
    if (this.#link.callbacks.has(entry)) callback(entry.serviceName, service)
    else closeService(service)
  }
}

/** A stopped registry is not gone, so there is a limit on the wait for its answer. */
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
