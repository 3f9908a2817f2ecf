/**
 * The way to a service, over its deaths and restarts: found again by the registry, as often as it takes. While it is away nothing keeps
 * the process alive but who waits for it.
 */
import { BinderProxy } from '../binder/binder-proxy.ts'
import { sessionOf } from '../binder/session.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { DeadObjectError, errorCode } from '../util/errors.ts'
import { reportCallbackError } from '../util/report.ts'
import { clearInterval, clearTimeout, LONGEST_WAIT_MS, setInterval, setTimeout } from '../util/timers.ts'
import { jittered } from './retry.ts'
import type { ServiceManager } from './service-manager.ts'

/** Called with the service when it has been found. */
export interface LinkEvents {
  /** Takes the service into use. If it throws, it is looked for again later. */
  onUp(binder: IBinder): Promise<void>
  /** It is in use. */
  onReady?(): void
  /** The service is gone. */
  onDown(): void
}

/** Until it is looked for again: longer each time. Milliseconds. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

export class ServiceLink {
  readonly #manager: ServiceManager
  readonly #name: string
  readonly #events: LinkEvents
  #binder: IBinder | null = null
  #isClosed = false
  #timer: NodeJS.Timeout | undefined
  #pauseMs = FIRST_PAUSE_MS
  /** Calls that wait for the service. They keep the process alive. */
  #waiting = 0
  #alive: NodeJS.Timeout | undefined
  #up: Promise<void> | null = null
  #resolveUp: (() => void) | null = null

  constructor(manager: ServiceManager, name: string, events: LinkEvents) {
    this.#manager = manager
    this.#name = name
    this.#events = events
  }

  /** The service; null while it is away. */
  get binder(): IBinder | null {
    return this.#binder
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether the service is there as of now, also while this process does not come to its event loop. */
  get isThere(): boolean {
    return isThere(this.#binder)
  }

  /**
   * Looks for the service once.
   * @returns whether it exists
   * @throws errors of the service or the registry
   */
  async find(): Promise<boolean> {
    const binder = await this.#manager.getService(this.#name)
    if (binder === null) return false
    await this.use(binder)
    return true
  }

  /** As find, of a service that is found already. Owns the binder from here on. */
  async use(binder: IBinder): Promise<void> {
    try {
      await this.#events.onUp(binder)
      if (this.#isClosed) throw new DeadObjectError(`this process has closed ${this.#name}`)
      onDeath(binder, () => this.#onDown(binder))
    } catch (error) {
      closeBinder(binder)
      throw error
    }
    this.#binder = binder
    this.#pauseMs = FIRST_PAUSE_MS
    this.#resolveUp?.()
    this.#up = null
    this.#resolveUp = null
    this.#events.onReady?.()
  }

  /** Resolves when the service is there; at once when it is. */
  async untilUp(): Promise<void> {
    if (this.#binder !== null) return
    this.#up ??= new Promise((resolve) => {
      this.#resolveUp = resolve
    })
    await this.#up
  }

  /** Somebody needs the service, and keeps the process alive. @returns to be called when that is over */
  keepLooking(): () => void {
    this.#waiting += 1
    // Not by the channel: while its other end is about to close it, it keeps nobody alive any more, and that end is not heard of.
    this.#alive ??= setInterval(() => undefined, LONGEST_WAIT_MS)
    let isWaiting = true
    return () => {
      if (!isWaiting) return
      isWaiting = false
      this.#waiting -= 1
      if (this.#waiting === 0) this.#letGo()
    }
  }

  /** The service was found dead by a call. */
  lost(binder: IBinder): void {
    this.#onDown(binder)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#letGo()
    if (this.#binder !== null) closeBinder(this.#binder)
    this.#binder = null
    this.#resolveUp?.()
  }

  #onDown(binder: IBinder): void {
    if (this.#isClosed || this.#binder !== binder) return
    this.#binder = null
    closeBinder(binder)
    this.#events.onDown()
    this.#lookLater(0)
  }

  #lookLater(pauseMs: number): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#look(), pauseMs).unref()
  }

  #letGo(): void {
    clearInterval(this.#alive)
    this.#alive = undefined
  }

  async #look(): Promise<void> {
    try {
      if (await this.find()) return
    } catch (error) {
      if (!this.#isClosed && !isPassing(error)) reportCallbackError(`looking for ${this.#name}`, error)
    }
    this.#lookLater(jittered(this.#pauseMs))
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
  }
}

/**
 * Whether the service lives now: packets that have arrived on its channel are handled without waiting for the event
 * loop. A local service always lives.
 */
export function isThere(binder: IBinder | null): boolean {
  if (!(binder instanceof BinderProxy)) return binder !== null
  if (!binder.isBinderAlive()) return false
  const { channel } = sessionOf(binder)
  channel.takeIn()
  return !channel.isPeerGone
}

/** In no async context. A local one does not die. @throws ERR_DEAD_OBJECT it has died */
export function onDeath(binder: IBinder, binderDied: () => void): void {
  if (binder instanceof BinderProxy) binder.linkOwnToDeath({ binderDied })
}

/** It will work when the service is there again, or has fewer to serve. */
function isPassing(error: unknown): boolean {
  const passing = [
    'ERR_REGISTRY_UNAVAILABLE',
    'ERR_DEAD_OBJECT',
    'ERR_LIMIT',
    'ERR_CLOSED',
    'ERR_ILLEGAL_STATE', // closed by its owner, and still published
    'EAGAIN',
    'EMFILE',
    'ENFILE',
  ]
  return passing.includes(errorCode(error) ?? '')
}

/** A service of this process continues to serve others. */
export function closeBinder(binder: IBinder): void {
  if (binder instanceof BinderProxy) binder.close()
}
