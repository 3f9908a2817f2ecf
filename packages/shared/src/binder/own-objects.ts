/**
 * This side's objects on one channel: number 0, which exists from the beginning, and those that were sent to the peer.
 * The counterpart is `PeerObjects`.
 */
import type { AsyncContext } from 'memfd-native'
import type { Channel } from '../channel/channel.ts'
import type { ChannelBudget } from '../channel/held-bytes.ts'
import type { Binder } from './binder.ts'
import { Exports } from './exports.ts'
import { type ReleaseObserver, ROOT } from './peer-objects.ts'

export interface OwnObjectsOptions {
  /** Object 0; null: there is none. */
  root: Binder | null
  /** What it is served in. */
  rootContext: AsyncContext | null
  /** Told when the peer has given the last of the others back. */
  observer: ReleaseObserver
}

export class OwnObjects {
  readonly #channel: Channel
  readonly #root: Binder | null
  readonly #rootContext: AsyncContext | null
  readonly #observer: ReleaseObserver
  readonly #exports = new Exports()

  constructor(channel: Channel, { root, rootContext, observer }: OwnObjectsOptions) {
    this.#channel = channel
    this.#root = root
    this.#rootContext = rootContext
    this.#observer = observer
  }

  /** Who pays. Before anything is sent. */
  chargeTo(budget: ChannelBudget): void {
    this.#exports.chargeTo(budget)
  }

  /** Whether the peer holds none, but for object 0. */
  get isEmpty(): boolean {
    return this.#exports.size === 0
  }

  get(number: number): Binder | undefined {
    return number === ROOT ? (this.#root ?? undefined) : this.#exports.get(number)
  }

  /** What the calls of that object are served in. */
  contextOf(number: number): AsyncContext | null {
    return number === ROOT ? this.#rootContext : this.#exports.contextOf(number)
  }

  /** The number by which the peer calls a binder; undefined: it does not hold it. */
  numberOf(binder: Binder): number | undefined {
    return binder === this.#root ? ROOT : this.#exports.numberOf(binder)
  }

  /** The binder's number; the peer holds one more reference. Taken back by `release` if the message does not leave. @throws LimitError of the budget */
  send(binder: Binder): number {
    if (binder === this.#root) return ROOT
    const keptAlive = this.#exports.keepsAlive
    const number = this.#exports.add(binder)
    if (!keptAlive && this.#exports.keepsAlive) this.#channel.ref()
    return number
  }

  /** The peer gives references to one of them back. @throws Violation */
  release(number: number, count: number): void {
    const keptAlive = this.#exports.keepsAlive
    this.#exports.release(number, count)
    if (keptAlive && !this.#exports.keepsAlive) this.#channel.unref()
    if (this.#exports.size === 0) this.#observer.onReleased()
  }

  /** The channel is over: the peer holds nothing. */
  close(): void {
    this.#exports.close()
  }
}
