/**
 * Who wants to know of changes of keys with a prefix. At most one notice per watcher is unacknowledged: a watcher is up to date, due for
 * a notice, or has been told and has not said that it heard. What has changed is in the log of the area, so notices need no queue.
 *
 * All watchers of one prefix are a group. A change makes those of its groups that were up to date due by exchanging two sets: what
 * a write costs grows with the lengths of the prefixes that are watched, and not with the number of watchers.
 */
import { BinderProxy } from '../binder/binder-proxy.ts'
import { callAllOneway } from '../binder/broadcast.ts'
import { sessionOf } from '../binder/session.ts'
import { IWatcher } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { IllegalStateError } from '../util/errors.ts'
import { rowOf, STORE_LIMITS, type StoreLimits } from './limits.ts'
import { type Holder, Tally } from './tally.ts'

/** What every watcher is told: `IWatcher.onChange()`. */
const NOTICE = Parcel.obtain()
NOTICE.writeInterfaceToken(IWatcher.DESCRIPTOR)

interface Watcher {
  readonly callback: IBinder
  readonly holder: Holder
  readonly group: Group
  /** The number of the change of its group that it was told of last. */
  toldOf: number
}

interface Group {
  readonly prefix: string
  /** In neither set: told, and not acknowledged. */
  upToDate: Set<Watcher>
  due: Set<Watcher>
  changes: number
  size: number
}

export class StoreWatchers {
  readonly #byCallback = new Map<IBinder, Watcher>()
  readonly #groups = new Map<string, Group>()
  /** How many groups have a prefix of this length. */
  readonly #lengths = new Map<number, number>()
  readonly #dueGroups = new Set<Group>()
  readonly #tally: Tally
  #isScheduled = false

  constructor(limits: StoreLimits) {
    const [total, ofUser, ofPeer] = [
      rowOf('watchers', limits),
      rowOf('watchersOfUser', limits),
      rowOf('watchersOfPeer', limits),
    ]
    this.#tally = new Tally({ total, ofUser, ofPeer })
  }

  get size(): number {
    return this.#byCallback.size
  }

  /** Tells `callback` of every change from now on. Twice is once, with the prefix of the first time. @throws ERR_LIMIT, ERR_DEAD_OBJECT */
  add(callback: IBinder, prefix: string, uid: number | null): void {
    if (this.#byCallback.has(callback)) return
    const holder = { uid, peer: callback instanceof BinderProxy ? sessionOf(callback) : callback }
    callback.linkToDeath({ binderDied: () => this.#forget(callback) })
    try {
      this.#tally.charge(holder)
    } catch (error) {
      letGo(callback) // given back, and the link with it
      throw error
    }
    const group = this.#groupOf(prefix)
    const watcher: Watcher = { callback, holder, group, toldOf: group.changes }
    this.#byCallback.set(callback, watcher)
    group.size += 1
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

  /** These keys have changed. The first portion of those who want to know is told at once. */
  changed(keys: readonly string[]): void {
    if (this.#groups.size === 0) return
    const groups = new Set<Group>()
    for (const key of keys) {
      for (const length of this.#lengths.keys()) {
        const group = length <= key.length ? this.#groups.get(key.slice(0, length)) : undefined
        if (group !== undefined) groups.add(group)
      }
    }
    this.#makeDue(groups)
  }

  /** All have to look: their keys are in another area. */
  allChanged(): void {
    this.#makeDue(this.#groups.values())
  }

  /** Forgets them all. */
  close(): void {
    for (const callback of [...this.#byCallback.keys()]) this.#forget(callback)
  }

  #makeDue(groups: Iterable<Group>): void {
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

  #groupOf(prefix: string): Group {
    const known = this.#groups.get(prefix)
    if (known !== undefined) return known
    const group: Group = { prefix, upToDate: new Set(), due: new Set(), changes: 0, size: 0 }
    this.#groups.set(prefix, group)
    this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1)
    return group
  }

  #forget(callback: IBinder): boolean {
    const watcher = this.#byCallback.get(callback)
    if (watcher === undefined) return false
    const { group, holder } = watcher
    this.#byCallback.delete(callback)
    group.upToDate.delete(watcher)
    group.due.delete(watcher)
    group.size -= 1
    if (group.size === 0) this.#dissolve(group)
    this.#tally.refund(holder)
    // Not left to the garbage collector: a client that watches again and again would reach the limit of its channel.
    letGo(callback)
    return true
  }

  #dissolve(group: Group): void {
    this.#groups.delete(group.prefix)
    this.#dueGroups.delete(group)
    const left = (this.#lengths.get(group.prefix.length) ?? 1) - 1
    if (left === 0) this.#lengths.delete(group.prefix.length)
    else this.#lengths.set(group.prefix.length, left)
  }
}

/** A callback that is needed no more does not wait for the garbage collector. */
function letGo(callback: IBinder): void {
  if (callback instanceof BinderProxy) callback.close()
}
