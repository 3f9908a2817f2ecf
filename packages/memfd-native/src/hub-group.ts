/**
 * Sockets of the hub that are received, or not, together. What comes for a closed group stays in the kernel, whose queues
 * are bounded, and costs nobody a turn: this is how one peer's flood is kept from the time of others. Who that is, and
 * for how long, is no business of this package.
 */

import type { NativeHub } from './binding.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'

/** Sockets that are received together, or not: see the head of this file. `HubSocket.join()` puts one into it. */
export class HubGroup {
  /** @internal */
  readonly number: number
  readonly #native: NativeHub
  readonly #onRelease: () => void

  /** @internal By Hub.makeGroup(). */
  constructor(native: NativeHub, number: number, onRelease: () => void) {
    this.#native = native
    this.number = number
    this.#onRelease = onRelease
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { number: this.number })
  }

  /**
   * Nothing of the group's sockets is received from here on, neither packets nor their end. Those that become ready wait,
   * in that order. What was received already, in the batch that is being told, is still told.
   */
  close(): void {
    this.#native.closeGroup(this.number)
  }

  /**
   * Receives one packet, in the next turn of the event loop, of each of the first `count` that wait. The group stays closed.
   * Who does not come to it because of another `close()` keeps its place.
   * @returns how many; 0: nobody waits
   */
  admit(count: number): number {
    return this.#native.admit(this.number, count)
  }

  /** Receives from all again. */
  open(): void {
    this.#native.openGroup(this.number)
  }

  /** Nobody is in it any more, and the caller does not use it again. */
  release(): void {
    this.open()
    this.#onRelease()
  }
}
