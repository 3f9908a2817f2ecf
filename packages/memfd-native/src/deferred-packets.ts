/** Short packets that wait for the end of a batch: one call sends them all, before the first peer is woken to answer. */
import { Buffer } from 'node:buffer'
import { type NativeHub, unwrap } from './binding.ts'
import { type PacketHandler, throwLater } from './handlers.ts'
import { CELL_BYTES, DEFERRED_INTS, type HubArrays } from './hub-arrays.ts'
import type { Slots } from './slots.ts'

const CELL_WORDS = CELL_BYTES / 4

// Places in the record of one packet: `Deferred` in native/hub/outlet.h.
const SLOT = 0
const LENGTH = 1
const RESULT = 2

interface Unsent {
  /** Nobody, when its socket has been closed. */
  readonly handler: PacketHandler | undefined
  readonly bytes: Buffer
  readonly errno: number
}

/** The packets of this batch that have not been sent yet. */
export class DeferredPackets {
  /** How many there may be before they are sent: 0 outside of a batch. */
  mayDefer = 0
  readonly #native: NativeHub
  readonly #slots: Slots
  readonly #cells: Buffer
  readonly #cellWords: Int32Array
  readonly #outgoingWords: Int32Array
  readonly #records: Int32Array
  #count = 0
  #unsent: Unsent[] = []

  constructor(native: NativeHub, slots: Slots, arrays: HubArrays) {
    this.#native = native
    this.#slots = slots
    this.#cells = arrays.cells
    this.#cellWords = new Int32Array(arrays.cells.buffer)
    this.#outgoingWords = new Int32Array(arrays.outgoing.buffer)
    this.#records = arrays.deferred
  }

  /** Keeps the packet that is in `outgoing`. False: it is to be sent now. */
  add(slot: number, length: number): boolean {
    if (this.mayDefer < 2 || length <= 0 || length > CELL_BYTES || !Number.isInteger(length)) return false
    if (this.#count === this.mayDefer) this.flush()
    const first = this.#count * CELL_WORDS
    const words = (length + 3) >>> 2
    for (let i = 0; i < words; i++) this.#cellWords[first + i] = this.#outgoingWords[i] as number
    const at = this.#count * DEFERRED_INTS
    this.#records[at + SLOT] = slot
    this.#records[at + LENGTH] = length
    this.#count += 1
    return true
  }

  /**
   * Sends the collected packets. Failures are not reported here, because `outgoing` may contain a packet at the moment.
   */
  flush(): void {
    if (this.#count > 0) this.#flush(false)
  }

  /** The batch has been handled: sends the rest, and reports the packets that could not be sent. */
  endBatch(): void {
    this.mayDefer = 0
    if (this.#count > 0 || this.#unsent.length > 0) this.#flush(true)
    if (this.#unsent.length > 0) this.#tellUnsent()
  }

  /** @param isLast of this batch: a socket that did not take a packet is asked again from here on */
  #flush(isLast: boolean): void {
    const count = this.#count
    this.#count = 0
    if (unwrap('sendmsg', this.#native.flush(count, Number(isLast))) === 0) return
    for (let i = 0; i < count; i++) {
      const at = i * DEFERRED_INTS
      const errno = this.#records[at + RESULT] as number
      if (errno < 0) this.#unsent.push({ handler: this.#handlerOf(at), bytes: this.#copyOf(i), errno })
    }
  }

  #handlerOf(at: number): PacketHandler | undefined {
    return this.#slots.socket(this.#records[at + SLOT] as number)
  }

  #copyOf(index: number): Buffer {
    const start = index * CELL_BYTES
    const length = this.#records[index * DEFERRED_INTS + LENGTH] as number
    return Buffer.from(this.#cells.subarray(start, start + length))
  }

  #tellUnsent(): void {
    const unsent = this.#unsent.reverse()
    this.#unsent = []
    for (const { handler, bytes, errno } of unsent) {
      try {
        handler?.onUnsent?.(bytes, errno)
      } catch (error) {
        throwLater(error)
      }
    }
  }
}
