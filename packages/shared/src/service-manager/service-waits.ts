/** Waits for services that are not published yet, also across restarts of the registry. */
import type { IBinder } from '../parcel/ibinder.ts'
import { abortError } from '../util/abortable.ts'
import { type CallOptions, within } from '../util/patience.ts'
import { Signal } from '../util/signal.ts'
import { type LastingLink, RECONNECT_MS } from './lasting-link.ts'
import { NotificationCallback } from './notifications.ts'
import { isOutage } from './outage.ts'
import { closeService, findAndOpen } from './registry-link.ts'

/** A wait looks for its service again this often, in milliseconds; while there is no registry, as often as for that. */
const RECHECK_MS = 1000
/** How long a message to the registry may keep the process alive when nobody waits any more, in milliseconds. */
const FAREWELL_MS = 1000

export class ServiceWaits {
  readonly #link: LastingLink
  /** The waits under way, which `close()` ends. */
  readonly #news = new Set<Signal>()

  constructor(link: LastingLink) {
    this.#link = link
  }

  /** @throws AbortError; ERR_TIMEOUT; ERR_CLOSED */
  async waitFor(name: string, options: CallOptions): Promise<IBinder> {
    const news = new Signal()
    this.#news.add(news)
    const callback = new NotificationCallback(name, null, () => news.raise())
    const over = new AbortController()
    try {
      const found = this.#untilFound(callback, news, over.signal)
      return await within(options, `waiting for ${name}`, found, closeService)
    } finally {
      over.abort()
      this.#news.delete(news)
      // Not waited for: the registry may hang, and has nothing to say that matters any more.
      void this.#link.unregister(callback, { timeoutMs: FAREWELL_MS }).catch(() => {})
    }
  }

  /** They end, because the link is closed. */
  close(): void {
    for (const news of this.#news) news.raise()
  }

  /** Until `over` fires: then nobody waits for the service any more. */
  async #untilFound(callback: NotificationCallback, news: Signal, over: AbortSignal): Promise<IBinder> {
    while (!over.aborted) {
      this.#link.checkOpen()
      const service = await this.#link.whileUp({ signal: over }, (registry) =>
        findAndOpen(registry, callback.serviceName),
      )
      if (service !== null) return service
      if (over.aborted) break
      if (!this.#link.callbacks.has(callback)) await this.#registerWhileUp(callback, over)
      await news.wait({ timeoutMs: this.#link.isConnected ? RECHECK_MS : RECONNECT_MS, signal: over })
    }
    throw abortError(over)
  }

  async #registerWhileUp(callback: NotificationCallback, over: AbortSignal): Promise<void> {
    try {
      await this.#link.register(callback, { signal: over })
    } catch (error) {
      if (!isOutage(error)) throw error
    }
  }
}
