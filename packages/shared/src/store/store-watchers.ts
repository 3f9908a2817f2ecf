/**
 * The watchers of keys with a prefix. The changes are in the log of the area. A watcher is notified only about areas
 * that it may read, so watchers with the same areas have groups of their own.
 */

import { laterCall } from '../binder/binder-context.ts'
import { BinderProxy } from '../binder/binder-proxy.ts'
import { IWatcher } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { IllegalStateError } from '../util/errors.ts'
import { Notices, type Told } from '../watching/notices.ts'
import { STORE_LIMITS } from './limits.ts'
import { type PrefixGroup, PrefixGroups } from './prefix-groups.ts'
import type { StoreAccount } from './store-ledger.ts'

/** Who watches, and what. */
export interface WatchRequest {
  readonly prefix: string
  readonly account: StoreAccount
  /** Numbers of areas. */
  readonly sees: () => readonly number[]
}

interface Watcher extends WatchRequest, Told {
  view: View
  group: PrefixGroup<Watcher>
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
  readonly #notices = new Notices<Watcher>(STORE_LIMITS.noticesPerTurn.limit)

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
    const watcher: Watcher = { ...request, callback, tellHere: tellingHere(callback), view, group, toldOf: 0 }
    this.#byCallback.set(callback, watcher)
    group.add(watcher)
  }

  /** The callback is given back to its process. @throws ERR_ILLEGAL_STATE it does not watch */
  remove(callback: IBinder): void {
    if (this.#forget(callback)) return
    letGo(callback)
    throw new IllegalStateError('this callback is not registered as a watcher')
  }

  /** The watcher has acknowledged its notice. Without a notice this does nothing. */
  acknowledge(callback: IBinder): void {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) letGo(callback)
    else this.#notices.acknowledge(watcher, watcher.group)
  }

  /** These keys of one area have changed. The first portion of the watchers is notified at once. */
  changed(keys: readonly string[], area: number): void {
    if (this.#views.size === 0) return
    for (const { areas, groups } of this.#views.values()) if (areas.has(area)) this.#notices.changed(groups.of(keys))
  }

  /** The watchers that may read the changed keys, and have got the current area. */
  seeAnew(): void {
    for (const watcher of this.#byCallback.values()) {
      const standing = watcher.group.standingOf(watcher)
      this.#leave(watcher)
      watcher.view = this.#viewOf(watcher.sees())
      watcher.group = watcher.view.groups.join(watcher.prefix)
      watcher.group.add(watcher, standing)
      this.#notices.tellSoon(watcher.group)
    }
  }

  /** Forgets them all. */
  close(): void {
    for (const callback of [...this.#byCallback.keys()]) this.#forget(callback)
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
    group.delete(watcher)
    if (view.groups.leave(group) && view.groups.size === 0) this.#views.delete(view.name)
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

function tellingHere(callback: IBinder): (() => void) | null {
  if (callback instanceof BinderProxy) return null
  return laterCall('a watcher of a store', callback, () => IWatcher.asInterface(callback).onChange())
}

const RESOURCE = STORE_LIMITS.watchers.name

/** A callback that is not needed any more is released now, not by the garbage collector. */
function letGo(callback: IBinder): void {
  if (callback instanceof BinderProxy) callback.close()
}
