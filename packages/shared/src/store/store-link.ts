/**
 * The way to the owner of a store, over its deaths and restarts: found again by the registry, as often as it takes. While it is away
 * nothing keeps the process alive but who waits for it.
 */
import { BinderProxy } from '../binder/binder-proxy.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { jittered } from '../service-manager/retry.ts'
import type { ServiceManager } from '../service-manager/service-manager.ts'
import { DeadObjectError, errorCode } from '../util/errors.ts'
import { reportCallbackError } from '../util/report.ts'
import { IStore } from './store-interface.ts'

/** The owner, to be called. */
export interface StoreOwner {
  readonly binder: IBinder
  readonly store: NonNullable<ReturnType<typeof IStore.asInterface>>
}

/** What is done with the owner when it has been found. */
export interface LinkEvents {
  /** Takes the owner into use. If it throws, it is looked for again later. */
  onUp(binder: IBinder): Promise<void>
  /** The owner is gone. */
  onDown(): void
}

/** Until it is looked for again: longer each time. Milliseconds. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500
/** Of a timer that is there to be there. */
const LONG_MS = 0x7fffffff

export class StoreLink {
  readonly #manager: ServiceManager
  readonly #name: string
  readonly #events: LinkEvents
  #owner: StoreOwner | null = null
  #isClosed = false
  #timer: NodeJS.Timeout | undefined
  #pauseMs = FIRST_PAUSE_MS
  /** Who waits for the owner: they keep the process alive. */
  #waiting = 0
  #alive: NodeJS.Timeout | undefined
  #up: Promise<void> | null = null
  #resolveUp: (() => void) | null = null

  constructor(manager: ServiceManager, name: string, events: LinkEvents) {
    this.#manager = manager
    this.#name = name
    this.#events = events
  }

  /** The owner; null while it is away. */
  get owner(): StoreOwner | null {
    return this.#owner
  }

  /** Its binder. */
  get binder(): IBinder | null {
    return this.#owner?.binder ?? null
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Looks once. @returns whether there is such a service. @throws what is wrong with it, or with the registry */
  async find(): Promise<boolean> {
    const binder = await this.#manager.getService(this.#name)
    if (binder === null) return false
    try {
      await this.#events.onUp(binder)
      if (this.#isClosed) throw new DeadObjectError('the store was closed')
      binder.linkToDeath({ binderDied: () => this.#onDown(binder) })
    } catch (error) {
      closeBinder(binder)
      throw error
    }
    this.#owner = { binder, store: IStore.asInterface(binder) }
    this.#pauseMs = FIRST_PAUSE_MS
    this.#resolveUp?.()
    this.#up = null
    this.#resolveUp = null
    return true
  }

  /** Resolves when the owner is there; at once when it is. Whoever waits keeps the process alive until `signal` fires. */
  async untilUp(): Promise<void> {
    if (this.#owner !== null) return
    this.#up ??= new Promise((resolve) => {
      this.#resolveUp = resolve
    })
    await this.#up
  }

  /** Somebody needs the owner. @returns to be called when that is over */
  keepLooking(): () => void {
    this.#waiting += 1
    // Not by the channel: while its other end is about to close it, it keeps nobody alive any more, and that end is not heard of.
    this.#alive ??= setInterval(() => undefined, LONG_MS)
    let isWaiting = true
    return () => {
      if (!isWaiting) return
      isWaiting = false
      this.#waiting -= 1
      if (this.#waiting === 0) this.#letGo()
    }
  }

  /** The owner was found dead by a call. */
  lost(binder: IBinder): void {
    this.#onDown(binder)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#letGo()
    if (this.#owner !== null) closeBinder(this.#owner.binder)
    this.#owner = null
    this.#resolveUp?.()
  }

  #onDown(binder: IBinder): void {
    if (this.#isClosed || this.#owner?.binder !== binder) return
    this.#owner = null
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
      if (!this.#isClosed && !isPassing(error)) reportCallbackError(`looking for the store ${this.#name}`, error)
    }
    this.#lookLater(jittered(this.#pauseMs))
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
  }
}

/** It will work when the owner is there again, or has fewer to serve. */
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

/** A service of this process goes on serving others. */
function closeBinder(binder: IBinder): void {
  if (binder instanceof BinderProxy) binder.close()
}
