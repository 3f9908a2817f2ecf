/**
 * A link to the registry that survives restarts of the registry. It remembers the published services and the registered
 * callbacks, and registers them again first. While it has any, it looks for the next registry by itself; otherwise the
 * next question does.
 */
import { ClosedError } from '../util/errors.ts'
import type { CallOptions } from '../util/patience.ts'
import { reportCallbackError } from '../util/report.ts'
import { clearTimeout, setTimeout } from '../util/timers.ts'
import type { NotificationCallback } from './notifications.ts'
import { isOutage } from './outage.ts'
import { type ChannelPolicy, type Registration, type Registry, RegistryLink } from './registry-link.ts'
import type { RegistryPlace } from './registry-path.ts'
import { isOverloaded, jittered, retryOverloaded } from './retry.ts'

/** Milliseconds between attempts to reach a registry that is gone: soon, because a survivor takes over at once. */
export const RECONNECT_MS = 50

export class LastingLink {
  readonly #place: RegistryPlace
  readonly #policy: ChannelPolicy
  readonly #registrations = new Map<string, Registration>()
  readonly #callbacks = new Set<NotificationCallback>()
  #link: RegistryLink | null = null
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #isNamespaceChecked = false

  /** Connects at once. @throws as RegistryLink */
  constructor(place: RegistryPlace, policy: ChannelPolicy) {
    this.#place = place
    this.#policy = policy
    this.current()
  }

  /** For people. */
  get state(): 'closed' | 'connected' | 'disconnected' {
    if (this.#isClosed) return 'closed'
    return this.#link === null ? 'disconnected' : 'connected'
  }

  get isConnected(): boolean {
    return this.#link !== null
  }

  /** The link that is up, or a new one. @throws ERR_CLOSED; as RegistryLink */
  current(): RegistryLink {
    this.checkOpen()
    if (this.#link !== null) return this.#link
    const link: RegistryLink = new RegistryLink(this.#place, this.#policy, () => this.#onLinkEnd(link))
    this.#link = link
    clearTimeout(this.#timer)
    for (const [name, registration] of this.#registrations) void this.#addAgain(link, name, registration)
    for (const callback of this.#callbacks) void this.#registerAgain(link, callback)
    return link
  }

  /** @throws ERR_CLOSED */
  checkOpen(): void {
    if (this.#isClosed) throw new ClosedError('this ServiceManager is closed')
  }

  /**
   * Asks the registry. If the registry refuses the connection because there are too many, it tries again for a while.
   * @param options for each answer
   * @throws as current(), and the question
   */
  ask<T>(options: CallOptions, question: (registry: Registry) => T | Promise<T>): Promise<T> {
    return this.#ask(options, (link) => question(link.within(options)))
  }

  async #ask<T>({ signal }: CallOptions, question: (link: RegistryLink) => T | Promise<T>): Promise<T> {
    try {
      return await question(this.current())
    } catch (error) {
      if (!isOverloaded(error)) throw error
    }
    return retryOverloaded(() => question(this.current()), { signal })
  }

  /** The result of `ask`, or null if no registry is running; after `close()` always null. */
  async whileUp<T>(options: CallOptions, ask: (registry: Registry) => T | Promise<T>): Promise<T | null> {
    try {
      return await ask(this.current().within(options))
    } catch (error) {
      if (this.#isClosed || isOutage(error)) return null
      throw error
    }
  }

  /** Publishes a service, at this registry and the next ones. @throws as the registry's addService */
  async add(name: string, registration: Registration, options: CallOptions): Promise<void> {
    await this.#ask(options, (link) => this.#addFirst(link, name, registration, options))
    if (!this.#isClosed) this.#registrations.set(name, registration)
  }

  /** A process does not change its user namespace unnoticed: it is looked at before its first service. */
  async #addFirst(link: RegistryLink, name: string, registration: Registration, options: CallOptions): Promise<void> {
    if (!this.#isNamespaceChecked) await link.checkNamespace(options)
    this.#isNamespaceChecked = true
    await link.addService(name, registration, options)
  }

  /** Has a callback told, by this registry and the next ones. @throws as the registry's registerForNotifications */
  async register(callback: NotificationCallback, options: CallOptions): Promise<void> {
    const link = await retryOverloaded(() => this.current(), { signal: options.signal })
    this.#callbacks.add(callback)
    try {
      await register(link, callback, options)
    } catch (error) {
      if (isOverloaded(error)) return // the next link says it again
      this.#callbacks.delete(callback)
      throw error
    }
  }

  /** Removes a callback. Without a registry there is nothing to remove. */
  async unregister(callback: NotificationCallback, options: CallOptions): Promise<void> {
    if (!this.#callbacks.delete(callback)) return
    await this.whileUp(options, (registry) => registry.unregisterForNotifications(callback.serviceName, callback))
  }

  /** The callbacks that are to be told. */
  get callbacks(): ReadonlySet<NotificationCallback> {
    return this.#callbacks
  }

  /** Ends the link, and with it its registrations. Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#registrations.clear()
    this.#callbacks.clear()
    clearTimeout(this.#timer)
    this.#link?.close()
    this.#link = null
  }

  #onLinkEnd(link: RegistryLink): void {
    if (this.#link !== link) return
    this.#link = null
    this.#policy.onOutage?.()
    this.#reconnectSoon()
  }

  #reconnectSoon(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed || (this.#registrations.size === 0 && this.#callbacks.size === 0)) return
    this.#timer = setTimeout(() => this.#reconnect(), jittered(RECONNECT_MS))
  }

  #reconnect(): void {
    try {
      this.current()
    } catch (error) {
      if (!isOutage(error)) reportCallbackError('connecting to the registry again', error)
      this.#reconnectSoon()
    }
  }

  /** A name that another process has taken meanwhile is lost, with a warning. */
  async #addAgain(link: RegistryLink, name: string, registration: Registration): Promise<void> {
    try {
      await link.addService(name, registration, AS_LONG_AS_IT_TAKES)
    } catch (error) {
      if (isOutage(error)) return
      if (this.#registrations.get(name) === registration) this.#registrations.delete(name)
      if (this.#policy.onNameLost !== undefined) this.#policy.onNameLost(name, error)
      else reportCallbackError(`registering ${name} again`, error)
    }
  }

  async #registerAgain(link: RegistryLink, callback: NotificationCallback): Promise<void> {
    try {
      await register(link, callback, AS_LONG_AS_IT_TAKES)
    } catch (error) {
      if (isOutage(error)) return
      this.#callbacks.delete(callback)
      reportCallbackError(`registering for notifications about ${callback.serviceName} again`, error)
    }
  }
}

/** Nobody waits: it is said because there is a new registry. */
const AS_LONG_AS_IT_TAKES: CallOptions = {}

function register(link: RegistryLink, callback: NotificationCallback, options: CallOptions): Promise<void> | void {
  return link.within(options).registerForNotifications(callback.serviceName, callback)
}
