/**
 * Who wants to know of changes. At most one notice per watcher is unacknowledged: a watcher is up to date, due for a
 * notice, or has been told and has not said that it heard. The value is not in the notice, so notices need no queue.
 *
 * A change makes everybody who was up to date due by exchanging two sets: what a write costs does not grow with the
 * number of watchers. They are told in portions, one per turn of the event loop.
 */
import { BinderProxy } from '../binder/binder-proxy.ts'
import { callAllOneway } from '../binder/broadcast.ts'
import { IWatcher } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { IllegalStateError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { VALUE_LIMITS } from './limits.ts'

/** Who pays for the callbacks that a client leaves with a service. */
export interface WatcherBudget {
  /** @throws LimitError nothing is charged */
  charge(what: 'watchers', count: number): void
  refund(what: 'watchers', count: number): void
}

/** What every watcher is told: `IWatcher.onChange()`. */
const NOTICE = Parcel.obtain()
NOTICE.writeInterfaceToken(IWatcher.DESCRIPTOR)

interface Watcher {
  readonly callback: BinderProxy
  readonly budget: WatcherBudget
  /** The number of the change that it was told of last. */
  toldOf: number
}

export class Watchers {
  readonly #byCallback = new Map<IBinder | null, Watcher>()
  /** In neither set: told, and not acknowledged. */
  #upToDate = new Set<Watcher>()
  #due = new Set<Watcher>()
  #changes = 0
  #isScheduled = false

  get size(): number {
    return this.#byCallback.size
  }

  /** Tells `callback` of every change from now on. Twice is once. @throws ERR_LIMIT, ERR_DEAD_OBJECT */
  add(callback: BinderProxy, budget: WatcherBudget): void {
    if (this.#byCallback.has(callback)) return
    callback.linkToDeath({ binderDied: () => this.#forget(callback) })
    try {
      budget.charge('watchers', 1)
    } catch (error) {
      callback.close() // given back, and the link with it
      throw error
    }
    const watcher: Watcher = { callback, budget, toldOf: this.#changes }
    this.#byCallback.set(callback, watcher)
    this.#upToDate.add(watcher)
  }

  /** The callback is given back to its process, which it kept alive. @throws ERR_ILLEGAL_STATE it does not watch */
  remove(callback: IBinder | null): void {
    if (this.#forget(callback)) return
    letGo(callback)
    throw withoutStack(() => new IllegalStateError('this callback does not watch'))
  }

  /** The watcher has heard its notice. Without a notice to hear it changes nothing. */
  acknowledge(callback: IBinder | null): void {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) letGo(callback)
    if (watcher === undefined || this.#upToDate.has(watcher) || this.#due.has(watcher)) return
    if (watcher.toldOf === this.#changes) this.#upToDate.add(watcher)
    else {
      this.#due.add(watcher)
      this.#tellSoon()
    }
  }

  /** The value has changed. The first portion is told at once. */
  changed(): void {
    this.#changes += 1
    if (this.#due.size === 0) [this.#due, this.#upToDate] = [this.#upToDate, this.#due]
    else {
      for (const watcher of this.#upToDate) this.#due.add(watcher)
      this.#upToDate.clear()
    }
    if (!this.#isScheduled) this.#tellSome()
  }

  #tellSome(): void {
    if (this.#due.size === 0) return
    const portion: BinderProxy[] = []
    for (const watcher of this.#due) {
      if (portion.length === VALUE_LIMITS.noticesPerTurn.limit) break
      this.#due.delete(watcher)
      watcher.toldOf = this.#changes
      portion.push(watcher.callback)
    }
    // One that cannot be told would wait for ever for what it missed: its channel ends, and it learns of that.
    callAllOneway(portion, IWatcher.TRANSACTION_onChange, NOTICE, (callback) => callback.link.close())
    this.#tellSoon()
  }

  #tellSoon(): void {
    if (this.#isScheduled || this.#due.size === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#tellSome()
    })
  }

  #forget(callback: IBinder | null): boolean {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) return false
    this.#byCallback.delete(callback)
    this.#upToDate.delete(watcher)
    this.#due.delete(watcher)
    watcher.budget.refund('watchers', 1)
    // Not left to the garbage collector: a client that watches again and again would reach the limit of its channel.
    watcher.callback.close()
    return true
  }
}

/** Of a callback that nobody watches by: it was given for this call only, and must not wait for the garbage collector. */
function letGo(callback: IBinder | null): void {
  if (callback instanceof BinderProxy) callback.close()
}
