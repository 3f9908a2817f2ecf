/**
 * The client of the registry (android.os.ServiceManager): publish services, find them, wait for them.
 *
 * When the registry dies its client connects again by itself. What this process has published or asked to be told is
 * said again to the next registry; services already found live on, their channels do not pass through the registry.
 */
import { Binder } from '../binder/binder.ts'
import {
  AbortError,
  ClosedError,
  errorCode,
  IllegalStateError,
  InvalidArgTypeError,
  InvalidArgValueError,
  NullPointerError,
} from '../errors.ts'
import { acceptsFileDescriptors, type IBinder } from '../parcel/ibinder.ts'
import { checkInteger, show } from '../util/check.ts'
import { reportCallbackError } from '../util/report.ts'
import { Signal } from '../util/signal.ts'
import { NotificationCallback, type OnRegistration } from './notifications.ts'
import { DUMP_PRIORITY_ALL, DUMP_PRIORITY_DEFAULT, isServiceName, type ServiceInfo } from './registry-interface.ts'
import { type ChannelPolicy, openService, RegistryLink } from './registry-link.ts'
import { clientRegistryPath } from './registry-path.ts'

export interface ConnectOptions {
  /** The registry's socket; default MEMSVC_REGISTRY, else the user's, else the system's. At most 107 bytes. */
  path?: string
}

export interface AddServiceOptions {
  /** CRITICAL 1, HIGH 2, NORMAL 4, DEFAULT 8, or several of them. */
  dumpPriority?: number
}

interface Registration {
  readonly binder: Binder
  readonly dumpPriority: number
}

/** Milliseconds between attempts to reach a registry that is gone: soon, because a survivor takes over at once. */
const RECONNECT_MS = 50
/** waitForService asks again this often, in milliseconds, whatever the notifications say. */
const RECHECK_MS = 1000

export class ServiceManager {
  readonly #path: string
  readonly #policy: ChannelPolicy
  readonly #registrations = new Map<string, Registration>()
  readonly #callbacks = new Set<NotificationCallback>()
  #link: RegistryLink | null = null
  #reconnectTimer: NodeJS.Timeout | undefined
  #isClosed = false

  private constructor(path: string, policy: ChannelPolicy) {
    this.#path = path
    this.#policy = policy
    this.#open()
  }

  /**
   * Connects to the registry. An idle connection does not keep the process alive; a published service or a
   * notification does.
   * @throws ERR_REGISTRY_UNAVAILABLE nobody is there; ERR_SECURITY the socket is closed to this user;
   *   ERR_INVALID_ARG_VALUE a path over 107 bytes
   */
  static async connect(options: ConnectOptions = {}): Promise<ServiceManager> {
    return ServiceManager.connectWith(options, {})
  }

  /** For sibling packages: as connect, and watches over the channels of the services published here. */
  static async connectWith(options: ConnectOptions, policy: ChannelPolicy): Promise<ServiceManager> {
    return new ServiceManager(clientRegistryPath({ path: options.path }), policy)
  }

  /** Whether there is a registry at the other end, as far as is known. */
  get isConnected(): boolean {
    return this.#link !== null
  }

  /** The socket's path. */
  get path(): string {
    return this.#path
  }

  /**
   * Publishes a service until this manager is closed or the process ends. Keeps the process alive.
   * @throws ERR_INVALID_ARG_VALUE a null binder or a bad name; ERR_SECURITY not the registry's uid nor root;
   *   ERR_ILLEGAL_STATE another live process holds the name (the message has its pid); ERR_CLOSED
   */
  async addService(name: string, binder: IBinder, options: AddServiceOptions = {}): Promise<void> {
    const dumpPriority = options.dumpPriority ?? DUMP_PRIORITY_DEFAULT
    checkInteger('dumpPriority', dumpPriority, 0, 0x7fffffff)
    if (binder === null || binder === undefined) throw new InvalidArgValueError('Null binder')
    if (!(binder instanceof Binder)) throw new InvalidArgTypeError(`binder must be a local Binder, got ${show(binder)}`)
    checkName(name)
    await add(this.#connected(), name, { binder, dumpPriority })
    this.#registrations.set(name, { binder, dumpPriority })
  }

  /**
   * Finds a service: its local binder when this process published it by this manager, otherwise a proxy with a channel
   * of its own, which its `close()` ends.
   * @returns null when there is none, or no such name can be
   * @throws ERR_REGISTRY_UNAVAILABLE, ERR_DEAD_OBJECT the registry went away, ERR_CLOSED
   */
  async getService(name: string): Promise<IBinder | null> {
    const link = this.#connected()
    return isServiceName(name) ? openService(await link.registry.getService(name)) : null
  }

  /** As getService; on Android it does not start a service that is not there, here neither does. */
  async checkService(name: string): Promise<IBinder | null> {
    const link = this.#connected()
    return isServiceName(name) ? openService(await link.registry.checkService(name)) : null
  }

  /**
   * Waits until there is a service of that name, over restarts of the registry too. Keeps the process alive meanwhile.
   * @throws ERR_INVALID_ARG_VALUE a bad name; AbortError when `signal` fires; ERR_CLOSED
   */
  async waitForService(name: string, options: { signal?: AbortSignal } = {}): Promise<IBinder> {
    checkName(name)
    const news = new Signal()
    const callback = new NotificationCallback(name, null, () => news.raise())
    await this.#whileUp((link) => this.#notify(link, callback))
    try {
      for (;;) {
        if (options.signal?.aborted) throw new AbortError('the wait was aborted', { cause: options.signal.reason })
        const service = await this.#whileUp(async (link) => openService(await link.registry.getService(name)))
        if (service !== null) return service
        await news.wait({ timeoutMs: this.#link === null ? RECONNECT_MS : RECHECK_MS, signal: options.signal })
      }
    } finally {
      await this.#whileUp((link) => this.#unnotify(link, callback))
    }
  }

  /** The names of all services with one of these priorities, sorted. */
  async listServices(dumpPriority: number = DUMP_PRIORITY_ALL): Promise<string[]> {
    checkInteger('dumpPriority', dumpPriority, 0, 0x7fffffff)
    const names = await this.#connected().registry.listServices(dumpPriority)
    return (names ?? []).filter((name) => name !== null)
  }

  /** Ours, beyond Android: who holds the name; null for nobody. */
  async getServiceInfo(name: string): Promise<ServiceInfo | null> {
    const link = this.#connected()
    return isServiceName(name) ? link.registry.getServiceInfo(name) : null
  }

  /**
   * Calls `callback` at every registration of the name, and at once when it is there already. Registered twice, called
   * twice. Keeps the process alive.
   * @throws ERR_INVALID_ARG_VALUE a bad name; ERR_NULL_POINTER; ERR_CLOSED
   */
  async registerForNotifications(name: string, callback: OnRegistration): Promise<void> {
    if (callback === null || callback === undefined) throw new NullPointerError('callback must not be null')
    if (typeof callback !== 'function') throw new InvalidArgTypeError('callback must be a function')
    checkName(name)
    const link = this.#connected()
    const tell = async () => {
      const service = await this.getService(name)
      // Gone again already: its next registration comes with a notice of its own.
      if (service !== null) callback(name, service)
    }
    await this.#notify(link, new NotificationCallback(name, callback, tell))
  }

  /** Removes every registration of this callback for this name. @throws ERR_ILLEGAL_STATE there is none; ERR_CLOSED */
  async unregisterForNotifications(name: string, callback: OnRegistration): Promise<void> {
    const link = this.#connected()
    const mine = [...this.#callbacks].filter((entry) => entry.serviceName === name && entry.callback === callback)
    if (mine.length === 0) throw new IllegalStateError(`this callback is not registered for ${show(name)}`)
    for (const entry of mine) await this.#unnotify(link, entry)
  }

  /** Closes the connection: what was published here is withdrawn. Services that were found live on. Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#registrations.clear()
    this.#callbacks.clear()
    clearTimeout(this.#reconnectTimer)
    this.#link?.close()
    this.#link = null
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** The connection, made anew if the last one has ended. */
  #connected(): RegistryLink {
    if (this.#isClosed) throw new ClosedError('this ServiceManager is closed')
    return this.#link ?? this.#open()
  }

  #open(): RegistryLink {
    const link: RegistryLink = new RegistryLink(this.#path, this.#policy, () => this.#onLinkEnd(link))
    this.#link = link
    clearTimeout(this.#reconnectTimer)
    return link
  }

  #onLinkEnd(link: RegistryLink): void {
    if (this.#link !== link) return
    this.#link = null
    this.#policy.onOutage?.()
    this.#reconnectSoon()
  }

  /** Only who has something to say again comes back by itself; everybody else does with his next call. */
  #reconnectSoon(): void {
    if (this.#isClosed || (this.#registrations.size === 0 && this.#callbacks.size === 0)) return
    clearTimeout(this.#reconnectTimer)
    this.#reconnectTimer = setTimeout(() => void this.#reconnect(), RECONNECT_MS)
  }

  async #reconnect(): Promise<void> {
    try {
      await this.#restore(this.#connected())
    } catch (error) {
      if (!isOutage(error)) reportCallbackError('registering again', error)
      if (this.#link === null) this.#reconnectSoon()
    }
  }

  /** Says again what the last registry was told. A name that somebody else has taken meanwhile is lost, and reported. */
  async #restore(link: RegistryLink): Promise<void> {
    for (const [name, { binder, dumpPriority }] of this.#registrations) {
      try {
        await add(link, name, { binder, dumpPriority })
      } catch (error) {
        if (isOutage(error)) throw error
        this.#registrations.delete(name)
        reportCallbackError(`registering ${name} again`, error)
      }
    }
    for (const callback of this.#callbacks) {
      await link.registry.registerForNotifications(callback.serviceName, callback)
    }
  }

  async #notify(link: RegistryLink, callback: NotificationCallback): Promise<void> {
    this.#callbacks.add(callback)
    try {
      await link.registry.registerForNotifications(callback.serviceName, callback)
    } catch (error) {
      this.#callbacks.delete(callback)
      throw error
    }
  }

  async #unnotify(link: RegistryLink, callback: NotificationCallback): Promise<void> {
    if (!this.#callbacks.delete(callback)) return
    await link.registry.unregisterForNotifications(callback.serviceName, callback)
  }

  /** What `ask` answers, or null while there is no registry to ask. */
  async #whileUp<T>(ask: (link: RegistryLink) => Promise<T>): Promise<T | null> {
    const isClosed = this.#isClosed
    try {
      return await ask(this.#connected())
    } catch (error) {
      if (isOutage(error) && !this.#isClosed) return null
      if (isClosed || !this.#isClosed) throw error
      throw new ClosedError('this ServiceManager was closed', { cause: error })
    }
  }
}

function isOutage(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ERR_REGISTRY_UNAVAILABLE' || code === 'ERR_DEAD_OBJECT'
}

function add(link: RegistryLink, name: string, { binder, dumpPriority }: Registration): Promise<void> | void {
  return link.registry.addService(name, binder, binder[acceptsFileDescriptors], dumpPriority)
}

function checkName(name: unknown): asserts name is string {
  if (!isServiceName(name)) {
    throw new InvalidArgValueError(`a service's name has 1 to 127 characters of a-z A-Z 0-9 _ - . /, got ${show(name)}`)
  }
}
