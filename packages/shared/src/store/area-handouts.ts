/**
 * Gives the readers of a store read-only descriptors of the areas that they may read. When values move to other areas,
 * it gives them the new ones before anything is written there.
 */
import type { OwnedFd } from 'memfd-native'
import { laterCall } from '../binder/binder-context.ts'
import { BinderProxy } from '../binder/binder-proxy.ts'
import type { Caller } from '../binder/calling-identity.ts'
import { sessionOf } from '../binder/session.ts'
import { own } from '../os/parcel-file-descriptor.ts'
import { acceptsFileDescriptors, type IBinder } from '../parcel/ibinder.ts'
import { errorCode, InvalidArgValueError, LimitError } from '../util/errors.ts'
import type { OwnedArea } from './owned-area.ts'
import type { StoreCore } from './store-core.ts'
import { type HandedArea, IStoreListener } from './store-interface.ts'

/** A reader that has opened the store and wants new areas. */
interface Listener {
  readonly callback: IBinder
  readonly caller: Caller
  readonly hear: (areas: HandedArea[]) => void
}

export class AreaHandouts {
  readonly #core: StoreCore
  readonly #mayRead: (caller: Caller, area: number) => boolean
  /** By channel: one of each. */
  readonly #listeners = new Map<object, Listener>()

  /** @param mayRead whether the caller may read the area of that number */
  constructor(core: StoreCore, mayRead: (caller: Caller, area: number) => boolean) {
    this.#core = core
    this.#mayRead = mayRead
  }

  /**
   * The areas that the caller may read. The code that calls this owns the descriptors.
   * @throws ERR_LIMIT if no descriptor is left
   */
  handOut(caller: Caller): HandedArea[] {
    const { areas } = this.#core
    const readable = this.readableBy(caller).map((number) => areas[number] as OwnedArea)
    const handed: HandedArea[] = []
    try {
      for (const area of readable) handed.push({ patterns: area.patterns, descriptor: own(share(area)) })
      return handed
    } catch (error) {
      for (const { descriptor } of handed) descriptor.close()
      throw error
    }
  }

  /** Numbers of the areas that the caller may read. */
  readableBy(caller: Caller): number[] {
    return [...this.#core.areas.keys()].filter((number) => this.#mayRead(caller, number))
  }

  /**
   * Registers a listener for new areas. Each channel has one, the last.
   * @throws ERR_DEAD_OBJECT; ERR_INVALID_ARG_VALUE if it accepts no descriptors
   */
  listen(callback: IBinder, caller: Caller): void {
    if (!callback[acceptsFileDescriptors])
      throw new InvalidArgValueError('listener must be a binder that accepts descriptors')
    const peer = callback instanceof BinderProxy ? sessionOf(callback) : callback
    const before = this.#listeners.get(peer)?.callback
    if (before === callback) return
    callback.linkToDeath({
      binderDied: () => {
        if (this.#listeners.get(peer)?.callback === callback) this.#listeners.delete(peer)
      },
    })
    this.#listeners.set(peer, { callback, caller, hear: hearing(callback) })
    if (before instanceof BinderProxy) before.close()
  }

  /** Whether it is told of other areas. */
  tells(callback: BinderProxy): boolean {
    return this.#listeners.get(sessionOf(callback))?.callback === callback
  }

  /** The values are in other areas: all listeners are notified before anything is written to these. */
  moved(): void {
    for (const listener of [...this.#listeners.values()]) this.#tell(listener)
  }

  /** Their channels end: by that readers learn that what they have are the last values, and look for the next owner. */
  close(): void {
    for (const { callback } of [...this.#listeners.values()]) endChannel(callback)
    this.#listeners.clear()
  }

  /** A reader that cannot be notified would keep the old values, so its channel ends. */
  #tell({ callback, caller, hear }: Listener): void {
    try {
      const areas = this.handOut(caller)
      hear(areas)
      if (!(callback instanceof BinderProxy)) return // what was called here has taken the descriptors over
      for (const { descriptor } of areas) descriptor.close() // a parcel has its own
      // A reader looks for them in its socket as soon as it sees that the values have moved, and must find them there.
      if (sessionOf(callback).queuedBytes > 0) endChannel(callback)
    } catch {
      endChannel(callback)
    }
  }
}

function hearing(callback: IBinder): (areas: HandedArea[]) => void {
  const call = (areas: HandedArea[]) => IStoreListener.asInterface(callback).onAreas(areas)
  if (!(callback instanceof BinderProxy)) return laterCall('a listener of a store', callback, call)
  return (areas) => void Promise.resolve(call(areas)).catch(() => endChannel(callback))
}

function endChannel(callback: IBinder): void {
  if (callback instanceof BinderProxy) sessionOf(callback).close()
}

/** @throws ERR_LIMIT no descriptor is left: a limit for who asks, and no fault of the service */
function share(area: OwnedArea): OwnedFd {
  try {
    return area.share()
  } catch (error) {
    if (!['EMFILE', 'ENFILE'].includes(errorCode(error) ?? '')) throw error
    throw new LimitError('descriptors of the store', 0, 0, { cause: error })
  }
}
