/**
 * The areas of a store that one reader has. The owner gives them out, replaces them when values move, and gives them
 * out again after a restart. Loops over changes follow. Reads use `reader`, and calls use `link`.
 */

import { BinderProxy } from '../binder/binder-proxy.ts'
import { sessionOf } from '../binder/session.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import type { ServiceManager } from '../service-manager/service-manager.ts'
import { now } from '../util/timers.ts'
import { type ChangesOptions, StoreChanges } from './store-changes.ts'
import { IStore } from './store-interface.ts'
import { StoreLink } from './store-link.ts'
import { attach, StoreListener } from './store-listener.ts'
import { type StoreArea, StoreReader } from './store-reader.ts'

/** Whether the values are the owner's current ones. */
export interface StoreStatus {
  /**
   * `live`: the values are current. `stale`: the owner is away (or, for a copy, its origin), and these are the last
   * values. Only for copies: `syncing`, not all values have arrived yet, so a missing value may exist; `refused`,
   * somebody must correct something first.
   */
  state: 'live' | 'stale' | 'syncing' | 'refused'
  /** The version of the last transaction that can be read. */
  version: bigint
  /** How old the values may be, in milliseconds: 0 if they are current, Infinity if unknown. */
  ageMs: number
  /** Whether the owner is connected, as far as is known. */
  connected: boolean
  /** For a copy: the last revision of its origin that it contains. Absent if the store is not a copy. */
  applied?: bigint
}

/** Owns the areas' mappings and the channel to the owner, until `close()`. */
export class StoreAttachment {
  readonly reader = new StoreReader(() => this.#follow())
  readonly link: StoreLink
  readonly listener = new StoreListener((areas) => this.#take(areas))
  readonly #loops = new Set<StoreChanges>()
  /** How often areas were taken: an answer that was overtaken is old. */
  #taken = 0
  /** Whose areas they are; null: its channel is over. */
  #owner: IBinder | null = null
  /** When the owner was seen last, while it is away: milliseconds by `now()`. Null: it is there. */
  #awaySince: number | null = 0
  #isClosed = false

  constructor(manager: ServiceManager, name: string) {
    this.link = new StoreLink(manager, name, {
      onUp: (binder) => this.#onUp(binder),
      onDown: () => this.#onDown(),
    })
  }

  get status(): StoreStatus {
    const connected = this.#isOwnerThere() && !this.reader.isEnded
    if (!connected) this.#awaySince ??= now()
    const copy = this.reader.freshness
    if (copy !== null) {
      const { ageMs, applied } = copy
      const state = copy.state === 'live' && !connected ? 'stale' : copy.state
      return { state, version: this.reader.version, ageMs: Math.round(ageMs), connected, applied }
    }
    const ageMs = connected ? 0 : Math.round(now() - (this.#awaySince ?? 0))
    return { state: connected ? 'live' : 'stale', version: this.reader.version, ageMs, connected }
  }

  /** A loop that ends with the store. */
  changes(prefix: string, options: ChangesOptions): StoreChanges {
    const source = { reader: this.reader, link: this.link, onEnd: (loop: StoreChanges) => this.#loops.delete(loop) }
    const loop = new StoreChanges(source, prefix, options)
    if (options.signal?.aborted !== true) this.#loops.add(loop)
    return loop
  }

  close(): void {
    this.#isClosed = true
    for (const loop of [...this.#loops]) loop.end()
    this.link.close()
    this.reader.close()
  }

  async #onUp(binder: IBinder): Promise<void> {
    const taken = this.#taken
    this.#owner = binder
    const handed = await IStore.asInterface(binder).open(this.listener)
    if (this.#isClosed || this.#taken !== taken) for (const { descriptor } of handed) descriptor.close()
    else this.#take(attach(handed))
    this.#awaySince = null
    for (const loop of this.#loops) loop.onUp(binder)
  }

  #onDown(): void {
    this.#awaySince ??= now()
    this.#owner = null
    for (const loop of [...this.#loops]) loop.onDown()
  }

  /** As of now, also while this process does not come to its event loop. */
  #isOwnerThere(): boolean {
    return this.link.isThere
  }

  /** The values have moved: the owner has said where before it wrote there, also while this process does not come to its event loop. */
  #follow(): boolean {
    const owner = this.#owner
    if (!(owner instanceof BinderProxy) || !owner.isBinderAlive()) return false
    const taken = this.#taken
    sessionOf(owner).serveEarly(this.listener)
    return this.#taken !== taken
  }

  /** The values are in these areas now, which belong to the store. */
  #take(areas: StoreArea[]): void {
    if (this.#isClosed) {
      for (const { reader } of areas) reader.close()
      return
    }
    this.#taken += 1
    const before = this.reader.areas
    this.reader.replace(areas)
    for (const loop of [...this.#loops]) loop.moveTo(areas)
    // Only from here on nothing that was read before passes for fresh.
    for (const { reader } of before) reader.close()
    for (const loop of [...this.#loops]) loop.look()
  }
}
