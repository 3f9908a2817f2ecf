/**
 * Who is told of changes, and when. At most one notice per watcher is unacknowledged: a watcher is up to date, due for a notice, or has
 * been told and has not said that it heard. What has changed is not in the notice, so notices need no queue.
 *
 * A change makes everybody who was up to date due by exchanging two sets: what a write costs does not grow with the number of watchers.
 * They are told in portions, one per turn of the event loop.
 */

import { BinderProxy } from '../binder/binder-proxy.ts'
import { callAllOneway } from '../binder/broadcast.ts'
import { IWatcher } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { setImmediate } from '../util/timers.ts'

/** The call that notifies a watcher: `IWatcher.onChange()`. */
const NOTICE = Parcel.obtain()
NOTICE.writeInterfaceToken(IWatcher.DESCRIPTOR)

/** One who is told. */
export interface Told {
  readonly callback: IBinder
  /** Tells one of this process; null: it is a proxy. */
  readonly tellHere: (() => void) | null
  /** The number of its group's last change of which it was notified. */
  toldOf: number
}

/** Where a watcher stands. */
export type Standing = 'up to date' | 'due' | 'told'

/** Those who are told of the same changes. */
export class NoticeGroup<W extends Told> {
  /** In neither set: told, and not acknowledged. */
  #upToDate = new Set<W>()
  #due = new Set<W>()
  #changes = 0

  get hasDue(): boolean {
    return this.#due.size > 0
  }

  standingOf(watcher: W): Standing {
    if (this.#upToDate.has(watcher)) return 'up to date'
    return this.#due.has(watcher) ? 'due' : 'told'
  }

  /**
   * Adds a watcher. One that was notified by another group and has not acknowledged gets a notice of what it may have
   * missed.
   */
  add(watcher: W, standing: Standing = 'up to date'): void {
    watcher.toldOf = standing === 'told' ? -1 : this.#changes
    if (standing === 'up to date') this.#upToDate.add(watcher)
    if (standing === 'due') this.#due.add(watcher)
  }

  delete(watcher: W): void {
    this.#upToDate.delete(watcher)
    this.#due.delete(watcher)
  }

  /** There is news: who was up to date is due. */
  change(): void {
    this.#changes += 1
    if (this.#due.size === 0) [this.#due, this.#upToDate] = [this.#upToDate, this.#due]
    else {
      for (const watcher of this.#upToDate) this.#due.add(watcher)
      this.#upToDate.clear()
    }
  }

  /**
   * It has acknowledged its notice; without a notice nothing changes.
   * @returns whether it is due for another one
   */
  acknowledge(watcher: W): boolean {
    if (watcher.toldOf === this.#changes) {
      this.#upToDate.add(watcher)
      return false
    }
    this.#due.add(watcher)
    return true
  }

  /** The next watcher that is due; it counts as notified. */
  takeDue(): W | undefined {
    for (const watcher of this.#due) {
      this.#due.delete(watcher)
      watcher.toldOf = this.#changes
      return watcher
    }
    return undefined
  }
}

export class Notices<W extends Told> {
  readonly #portion: number
  /** Groups in which somebody is due. */
  readonly #due = new Set<NoticeGroup<W>>()
  #isScheduled = false

  /** @param portion notices per turn */
  constructor(portion: number) {
    this.#portion = portion
  }

  /** These groups have changes. The first portion is notified at once. */
  changed(groups: Iterable<NoticeGroup<W>>): void {
    for (const group of groups) {
      group.change()
      if (group.hasDue) this.#due.add(group)
    }
    if (!this.#isScheduled) this.#tellSome()
  }

  /** A watcher of the group has heard its notice. */
  acknowledge(watcher: W, group: NoticeGroup<W>): void {
    if (group.acknowledge(watcher)) this.tellSoon(group)
  }

  /** The due watchers of this group are notified in a later turn. */
  tellSoon(group: NoticeGroup<W>): void {
    if (group.hasDue) this.#due.add(group)
    this.#schedule()
  }

  #tellSome(): void {
    if (this.#due.size === 0) return
    const portion: BinderProxy[] = []
    for (let room = this.#portion; room > 0; room--) {
      const watcher = this.#takeDue()
      if (watcher === undefined) break
      if (watcher.callback instanceof BinderProxy) portion.push(watcher.callback)
      else watcher.tellHere?.()
    }
    // A watcher that cannot be notified would miss the change forever, so its channel ends, which it notices.
    if (portion.length > 0) {
      callAllOneway(portion, IWatcher.TRANSACTION_onChange, NOTICE, (callback) => callback.link.close())
    }
    this.#schedule()
  }

  #takeDue(): W | undefined {
    for (const group of this.#due) {
      const watcher = group.takeDue()
      if (watcher !== undefined) return watcher
      this.#due.delete(group)
    }
    return undefined
  }

  #schedule(): void {
    if (this.#isScheduled || this.#due.size === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#tellSome()
    })
  }
}
