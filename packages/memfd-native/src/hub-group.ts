/**
 * A group of sockets from which the hub receives, or does not. Packets for a closed group stay in the kernel, whose
 * queues are bounded, and cost no time. This protects others from a peer that sends too much. The code above decides
 * which groups to close, and for how long.
 */

import type { NativeHub } from './binding.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'

/**
 * A group of sockets from which the hub receives, or does not: see the head of this file. `HubSocket.join()` adds a
 * socket.
 */
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
   * Stops receiving from the sockets of the group, neither packets nor their end. Sockets that become ready wait in
   * that order. Packets of the current batch are still delivered.
   */
  close(): void {
    this.#native.closeGroup(this.number)
  }

  /**
   * Receives one packet, in the next turn of the event loop, from each of the first `count` sockets that wait. The
   * group stays closed. A socket that is not served because of another `close()` keeps its place.
   * @returns how many sockets; 0 if none waits
   */
  admit(count: number): number {
    return this.#native.admit(this.number, count)
  }

  /** Receives from all sockets of the group again. */
  open(): void {
    this.#native.openGroup(this.number)
  }

  /** Ends the group. It must not contain sockets any more, and you must not use it again. */
  release(): void {
    this.open()
    this.#onRelease()
  }
}
