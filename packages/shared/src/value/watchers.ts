/** The watchers of one value. */
import { BinderProxy } from '../binder/binder-proxy.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { IllegalStateError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { NoticeGroup, Notices, type Told } from '../watching/notices.ts'
import { VALUE_LIMITS } from './limits.ts'

/** The budget for the callbacks that a client registers with a service. */
export interface WatcherBudget {
  /** @throws LimitError nothing is charged */
  charge(what: 'watchers', count: number): void
  refund(what: 'watchers', count: number): void
}

interface Watcher extends Told {
  readonly callback: BinderProxy
  readonly budget: WatcherBudget
}

export class Watchers {
  readonly #byCallback = new Map<IBinder | null, Watcher>()
  readonly #notices = new Notices<Watcher>(VALUE_LIMITS.noticesPerTurn.limit)
  /** All of them. */
  readonly #group = new NoticeGroup<Watcher>()
  readonly #groups = [this.#group]

  get size(): number {
    return this.#byCallback.size
  }

  /** Tells `callback` of every change from now on. Twice is once. @throws ERR_LIMIT, ERR_DEAD_OBJECT */
  add(callback: BinderProxy, budget: WatcherBudget): void {
    if (this.#byCallback.has(callback)) return
    callback.linkOwnToDeath({ binderDied: () => this.#forget(callback) })
    try {
      budget.charge('watchers', 1)
    } catch (error) {
      callback.close() // given back, and the link with it
      throw error
    }
    const watcher: Watcher = { callback, tellHere: null, budget, toldOf: 0 }
    this.#byCallback.set(callback, watcher)
    this.#group.add(watcher)
  }

  /** The callback is given back to its process, which it kept alive. @throws ERR_ILLEGAL_STATE it does not watch */
  remove(callback: IBinder | null): void {
    if (this.#forget(callback)) return
    letGo(callback)
    throw withoutStack(() => new IllegalStateError('this callback is not registered as a watcher'))
  }

  /** The watcher has acknowledged its notice. Without a notice this does nothing. */
  acknowledge(callback: IBinder | null): void {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) letGo(callback)
    else this.#notices.acknowledge(watcher, this.#group)
  }

  /** The value has changed. The first portion of the watchers is notified at once. */
  changed(): void {
    this.#notices.changed(this.#groups)
  }

  #forget(callback: IBinder | null): boolean {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) return false
    this.#byCallback.delete(callback)
    this.#group.delete(watcher)
    watcher.budget.refund('watchers', 1)
    // Not left to the garbage collector: a client that watches again and again would reach the limit of its channel.
    watcher.callback.close()
    return true
  }
}

/**
 * Releases a callback that is not a watcher: it was received for this call only, and must not wait for the garbage
 * collector.
 */
function letGo(callback: IBinder | null): void {
  if (callback instanceof BinderProxy) callback.close()
}
