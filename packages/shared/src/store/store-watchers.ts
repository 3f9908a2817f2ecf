/**
 * Who wants to know of changes of keys with a prefix. At most one notice per watcher is unacknowledged: a watcher is up to date, due for
 * a notice, or has been told and has not said that it heard. What has changed is in the log of the area, so notices need no queue.
 *
 * A watcher hears of the areas that it may read: those who read the same areas have groups of their own.
 */
import { BinderProxy } from '../binder/binder-proxy.ts'
import { callAllOneway } from '../binder/broadcast.ts'
import { sessionOf } from '../binder/session.ts'
import { IWatcher } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { IllegalStateError } from '../util/errors.ts'
import { STORE_LIMITS } from './limits.ts'
import { type Group, PrefixGroups } from './prefix-groups.ts'
import type { StoreAccount } from './store-ledger.ts'

/** What every watcher is told: `IWatcher.onChange()`. */
const NOTICE = Parcel.obtain()
NOTICE.writeInterfaceToken(IWatcher.DESCRIPTOR)

/** Who watches, and what. */
export interface WatchRequest {
  readonly prefix: string
  readonly account: StoreAccount
  /** Numbers of areas. */
  readonly sees: () => readonly number[]
}

interface Watcher extends WatchRequest {
  readonly callback: IBinder
  view: View
  group: Group<Watcher>
  /** The number of the change of its group that it was told of last. */
  toldOf: number
}

/** Those who see the same areas. */
interface View {
  readonly name: string
  readonly areas: ReadonlySet<number>
  readonly groups: PrefixGroups<Watcher>
}

export class StoreWatchers {
  readonly #byCallback = new Map<IBinder, Watcher>()
  readonly #views = new Map<string, View>()
  readonly #dueGroups = new Set<Group<Watcher>>()
  #isScheduled = false

  get size(): number {
    return this.#byCallback.size
  }

  has(callback: IBinder): boolean {
    return this.#byCallback.has(callback)
  }

  /** Tells `callback` of every change from now on. Twice is once, with the prefix of the first time. @throws ERR_LIMIT, ERR_DEAD_OBJECT */
  add(callback: IBinder, request: WatchRequest): void {
    if (this.#byCallback.has(callback)) return
    callback.linkToDeath({ binderDied: () => this.#forget(callback) })
    try {
      request.account.charge(RESOURCE)
    } catch (error) {
      letGo(callback) // given back, and the link with it
      throw error
    }
    const view = this.#viewOf(request.sees())
    const group = view.groups.join(request.prefix)
    const watcher: Watcher = { ...request, callback, view, group, toldOf: group.changes }
    this.#byCallback.set(callback, watcher)
    group.upToDate.add(watcher)
  }

  /** The callback is given back to its process. @throws ERR_ILLEGAL_STATE it does not watch */
  remove(callback: IBinder): void {
    if (this.#forget(callback)) return
    letGo(callback)
    throw new IllegalStateError('this callback does not watch')
  }

  /** The watcher has heard its notice. Without a notice to hear it changes nothing. */
  acknowledge(callback: IBinder): void {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) {
      letGo(callback)
      return
    }
    const { group } = watcher
    if (group.upToDate.has(watcher) || group.due.has(watcher)) return
    if (watcher.toldOf === group.changes) group.upToDate.add(watcher)
    else {
      group.due.add(watcher)
      this.#dueGroups.add(group)
      this.#tellSoon()
    }
  }

  /** These keys of one area have changed. The first portion of those who want to know is told at once. */
  changed(keys: readonly string[], area: number): void {
    if (this.#views.size === 0) return
    for (const { areas, groups } of this.#views.values()) if (areas.has(area)) this.#makeDue(groups.of(keys))
  }

  /** Who may read what has changed, and has been told where it is now. */
  seeAnew(): void {
    for (const watcher of this.#byCallback.values()) {
      const { prefix, group: before } = watcher
      const isUpToDate = before.upToDate.has(watcher)
      const isDue = before.due.has(watcher)
      this.#leave(watcher)
      watcher.view = this.#viewOf(watcher.sees())
      watcher.group = watcher.view.groups.join(prefix)
      const { group } = watcher
      // One that was told and has not acknowledged hears of what it may have missed meanwhile.
      watcher.toldOf = isUpToDate || isDue ? group.changes : -1
      if (isUpToDate) group.upToDate.add(watcher)
      if (isDue) group.due.add(watcher)
      if (isDue) this.#dueGroups.add(group)
    }
    this.#tellSoon()
  }

  /** Forgets them all. */
  close(): void {
    for (const callback of [...this.#byCallback.keys()]) this.#forget(callback)
  }

  #makeDue(groups: Iterable<Group<Watcher>>): void {
    for (const group of groups) {
      group.changes += 1
      if (group.due.size === 0) [group.due, group.upToDate] = [group.upToDate, group.due]
      else {
        for (const watcher of group.upToDate) group.due.add(watcher)
        group.upToDate.clear()
      }
      if (group.due.size > 0) this.#dueGroups.add(group)
    }
    if (!this.#isScheduled) this.#tellSome()
  }

  #tellSome(): void {
    const portion: BinderProxy[] = []
    for (let room = STORE_LIMITS.noticesPerTurn.limit; room > 0; room--) {
      const watcher = this.#nextDue()
      if (watcher === undefined) break
      watcher.toldOf = watcher.group.changes
      if (watcher.callback instanceof BinderProxy) portion.push(watcher.callback)
      else void IWatcher.asInterface(watcher.callback).onChange()
    }
    // One that cannot be told would wait for ever for what it missed: its channel ends, and it learns of that.
    if (portion.length > 0) {
      callAllOneway(portion, IWatcher.TRANSACTION_onChange, NOTICE, (callback) => sessionOf(callback).close())
    }
    this.#tellSoon()
  }

  #nextDue(): Watcher | undefined {
    for (const group of this.#dueGroups) {
      for (const watcher of group.due) {
        group.due.delete(watcher)
        return watcher
      }
      this.#dueGroups.delete(group)
    }
    return undefined
  }

  #tellSoon(): void {
    if (this.#isScheduled || this.#dueGroups.size === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#tellSome()
    })
  }

  #forget(callback: IBinder): boolean {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) return false
    this.#byCallback.delete(callback)
    this.#leave(watcher)
    watcher.account.refund(RESOURCE)
    // Not left to the garbage collector: a client that watches again and again would reach the limit of its channel.
    letGo(callback)
    return true
  }

  #leave(watcher: Watcher): void {
    const { group, view } = watcher
    group.upToDate.delete(watcher)
    group.due.delete(watcher)
    if (!view.groups.leave(group)) return
    this.#dueGroups.delete(group)
    if (view.groups.size === 0) this.#views.delete(view.name)
  }

  #viewOf(areas: readonly number[]): View {
    const name = areas.join()
    const known = this.#views.get(name)
    if (known !== undefined) return known
    const view: View = { name, areas: new Set(areas), groups: new PrefixGroups() }
    this.#views.set(name, view)
    return view
  }
}

const RESOURCE = STORE_LIMITS.watchers.name

/** A callback that is needed no more does not wait for the garbage collector. */
function letGo(callback: IBinder): void {
  if (callback instanceof BinderProxy) callback.close()
}
