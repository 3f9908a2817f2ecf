/**
 * Messages that share a packet: what a packet costs the kernel is the same for one message and for a hundred. Only while
 * a channel is busy; on an idle one every message leaves at once.
 */
import { MAX_PACKET_BYTES } from 'memfd-native'
import { HEADER_BYTES } from './message.ts'
import { type Envelope, type OutgoingBody, writeMessage } from './outgoing-body.ts'

/** Buffers between two uses: packs live for one turn of the event loop, so a few serve all channels of a thread. */
const spare: Buffer[] = []
const MAX_SPARE = 16

export class Pack {
  #buffer: Buffer | null = null
  #length = 0

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Whether the message may share a packet at all, and finds room in this one. One with descriptors travels alone. */
  fits(body: OutgoingBody): boolean {
    return body.fds.length === 0 && this.#start + HEADER_BYTES + body.size <= MAX_PACKET_BYTES
  }

  add(envelope: Envelope, body: OutgoingBody): void {
    this.#buffer ??= spare.pop() ?? Buffer.allocUnsafeSlow(MAX_PACKET_BYTES)
    const start = this.#start
    this.#buffer.fill(0, this.#length, start)
    body.copyTo(this.#buffer, start + HEADER_BYTES)
    writeMessage(this.#buffer, start, envelope, body, body.size)
    this.#length = start + HEADER_BYTES + body.size
  }

  /** Moves the packet to `target`, and is empty again. @returns its length in bytes */
  moveTo(target: Buffer): number {
    const length = this.#length
    this.#buffer?.copy(target, 0, 0, length)
    this.clear()
    return length
  }

  clear(): void {
    if (this.#buffer !== null && spare.length < MAX_SPARE) spare.push(this.#buffer)
    this.#buffer = null
    this.#length = 0
  }

  /** Every message begins at a multiple of 8. */
  get #start(): number {
    return (this.#length + 7) & ~7
  }
}
