/**
 * The peer's objects on one channel: number 0, which exists from the beginning, and those that arrived in parcels. Each
 * has one proxy, as long as that is in use.
 */

import type { Channel, References } from '../channel/channel.ts'
import { PEER_GONE } from '../channel/death.ts'
import type { ChannelBudget } from '../channel/held-bytes.ts'
import type { LimitError } from '../util/errors.ts'
import { setTimeout } from '../util/timers.ts'
import { BinderProxy } from './binder-proxy.ts'
import { type Creditor, Imports } from './imports.ts'
import type { LinkedProxy, ProxyLink } from './proxy-link.ts'

const NO_PROXIES: readonly LinkedProxy[] = []

/** Object 0 of either side: there from the beginning, never counted. */
export const ROOT = 0

/** Whom the objects of either side tell. */
export interface ReleaseObserver {
  /** An object was given back, or nobody holds object 0 any more. */
  onReleased(): void
}

export interface PeerObjectsOptions {
  /** Whether object 0 accepts descriptors. */
  rootAcceptsFileDescriptors: boolean
  /** A client's channel is for the proxy of object 0: nobody needs the one without the other. */
  isForRoot: boolean
  observer: ReleaseObserver
}

export class PeerObjects implements Creditor {
  /** What its proxies are called by. */
  readonly link: ProxyLink
  readonly #channel: Channel
  readonly #rootAcceptsFileDescriptors: boolean
  readonly #isForRoot: boolean
  readonly #observer: ReleaseObserver
  readonly #imports = new Imports(this)
  /** Proxies with death links. */
  #retained: Set<LinkedProxy> | null = null
  /** Held weakly, but for its first second: see `age`. */
  #root: WeakRef<BinderProxy> | BinderProxy | undefined
  #isAbandoned = false
  #endReason: Error | null = null

  constructor(
    link: ProxyLink,
    channel: Channel,
    { rootAcceptsFileDescriptors, isForRoot, observer }: PeerObjectsOptions,
  ) {
    this.link = link
    this.#channel = channel
    this.#rootAcceptsFileDescriptors = rootAcceptsFileDescriptors
    this.#isForRoot = isForRoot
    this.#observer = observer
  }

  /** References go back to the peer. */
  giveBack(references: readonly References[]): void {
    this.#channel.release(references)
    this.#observer.onReleased()
  }

  /** The objects that came are paid by `budget` from now on. */
  chargeTo(budget: ChannelBudget): void {
    this.#imports.chargeTo(budget)
  }

  /** Whether none is held, but for object 0. */
  get isEmpty(): boolean {
    return this.#imports.size === 0
  }

  /** Whether the channel was for the proxy of object 0, which was collected. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** The proxy of object 0. */
  get root(): BinderProxy {
    const known = this.#knownRoot()
    if (known !== undefined) return known
    const proxy = new BinderProxy(this.link, ROOT, this.#rootAcceptsFileDescriptors)
    this.#root = proxy
    this.#isAbandoned = false
    if (this.#channel.isEnded) return this.#endAtOnce(proxy)
    weakenLater(this)
    return proxy
  }

  /** So many references have come, which will each be opened or given back; or the limit that forbids it. */
  admit(count: number): LimitError | null {
    return this.#imports.admit(count)
  }

  /** The proxy of an object, made if there is none; a dead one when the channel is over. */
  open(number: number, accepts: boolean): BinderProxy {
    if (number === ROOT) return this.root
    const make = () => new BinderProxy(this.link, number, accepts)
    return this.#channel.isEnded ? this.#endAtOnce(make()) : this.#imports.open(number, make)
  }

  /** Admitted references that nobody opens go back. @param numbers may come several times */
  releaseUnread(numbers: Uint32Array): void {
    this.#imports.releaseUnread(numbers)
  }

  /** It was read for a call that is not carried out. */
  abandon(number: number): void {
    this.#imports.abandon(number)
  }

  /** Gives all references of a proxy back. */
  drop(number: number): void {
    this.#imports.drop(number)
  }

  /** It stays reachable from here. */
  retain(proxy: LinkedProxy): void {
    this.#retained ??= new Set()
    this.#retained.add(proxy)
  }

  release(proxy: LinkedProxy): void {
    this.#retained?.delete(proxy)
    if (this.#retained?.size === 0) this.#retained = null
  }

  /** The channel is over: every proxy is told. */
  end(reason: Error): void {
    if (!stronglyHeld.delete(this) && this.#isForRoot) unusedRoots.unregister(this)
    const retained = this.#retained
    const imported = this.isEmpty ? NO_PROXIES : [...this.#imports.proxies()]
    const root = this.#knownRoot()
    this.#retained = null
    this.#endReason = reason
    this.#imports.close()
    // A second call for the same proxy does nothing.
    if (retained !== null) for (const proxy of retained) proxy.linkEnded(reason)
    for (const proxy of imported) proxy.linkEnded(reason)
    root?.linkEnded(reason)
  }

  /** From here on nobody but its users holds the proxy of object 0. */
  weakenRoot(): void {
    if (!(this.#root instanceof BinderProxy)) return
    if (this.#isForRoot) unusedRoots.register(this.#root, new WeakRef(this), this)
    this.#root = new WeakRef(this.#root)
  }

  /** The proxy of object 0 was collected, perhaps after another took its place. */
  rootCollected(): void {
    this.#isAbandoned = this.#knownRoot() === undefined
    this.#observer.onReleased()
  }

  #knownRoot(): BinderProxy | undefined {
    return this.#root instanceof WeakRef ? this.#root.deref() : this.#root
  }

  /** A proxy that is made when the channel is over is dead from the beginning. */
  #endAtOnce(proxy: BinderProxy): BinderProxy {
    proxy.linkEnded(this.#endReason ?? PEER_GONE)
    return proxy
  }
}

/**
 * To hold something weakly keeps it through every minor collection, and with it the whole session. Most sessions that are
 * many are short, so the proxy of object 0 is held strongly at first. For how long, in milliseconds.
 */
const STRONG_MS = 1000
let stronglyHeld = new Set<PeerObjects>()
/** One timer at a time: who comes and goes a thousand times in a second would leave as many. */
let isTimerSet = false

function weakenLater(objects: PeerObjects): void {
  if (!isTimerSet) setTimeout(weakenStronglyHeld, STRONG_MS).unref()
  isTimerSet = true
  stronglyHeld.add(objects)
}

function weakenStronglyHeld(): void {
  isTimerSet = false
  const all = stronglyHeld
  stronglyHeld = new Set() // not clear(): what a Set grew out of would lead to what it grows into, for ever
  for (const objects of all) objects.weakenRoot()
}

const unusedRoots = new FinalizationRegistry<WeakRef<PeerObjects>>((objects) => objects.deref()?.rootCollected())
