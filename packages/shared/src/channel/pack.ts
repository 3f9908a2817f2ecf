/**
 * Messages that share a packet: what a packet costs the kernel is the same for one message and for a hundred. Only while
 * a channel is busy, or several calls came together the last time; on an idle one a message leaves at once.
 */
import { Buffer } from 'node:buffer'
import { MAX_PACKET_BYTES } from 'memfd-native'
import { withWords } from '../util/words.ts'
import { HEADER_BYTES } from './message.ts'
import { type Envelope, type OutgoingBody, writeMessage } from './outgoing-body.ts'

/** Packs between two uses: they live for one turn of the event loop, so a few serve all channels of a thread. */
const spare: Pack[] = []
const MAX_SPARE = 16
/**
 * As many messages make a packet worth its price, and more would only keep the peer waiting: it serves these while the next
 * are being written. With 64 calls in flight 1.4 times as many a second as in packets of all 64.
 */
const MAX_MESSAGES = 32
/** A longer one is copied twice more to share a packet, and its peer could be at it. */
const MAX_SHARING_BYTES = MAX_PACKET_BYTES / 4

export class Pack {
  readonly #buffer = withWords(Buffer.allocUnsafeSlow(MAX_PACKET_BYTES))
  #length = 0
  #count = 0

  /** An empty one. */
  static obtain(): Pack {
    return spare.pop() ?? new Pack()
  }

  /** Whether the message may share a packet at all: one with descriptors travels alone, a long one gains nothing. */
  static mayHold(body: OutgoingBody): boolean {
    return body.fds.length === 0 && HEADER_BYTES + body.size <= MAX_SHARING_BYTES
  }

  /** Whether there is room for a message that `mayHold`. */
  fits(body: OutgoingBody): boolean {
    return this.#start() + HEADER_BYTES + body.size <= MAX_PACKET_BYTES
  }

  add(envelope: Envelope, body: OutgoingBody): void {
    const start = this.#start()
    for (let at = this.#length; at < start; at++) this.#buffer[at] = 0
    body.copyTo(this.#buffer, start + HEADER_BYTES)
    writeMessage(this.#buffer, start, envelope, body, body.size)
    this.#length = start + HEADER_BYTES + body.size
    this.#count += 1
  }

  /** Whether it should leave now. */
  get isFull(): boolean {
    return this.#count >= MAX_MESSAGES
  }

  /**
   * Moves the packet to `target`; the owner must not use it afterwards.
   * @returns the length of the packet in bytes
   */
  moveTo(target: Buffer): number {
    const length = this.#length
    this.#buffer.copy(target, 0, 0, length)
    this.recycle()
    return length
  }

  /** Drops its contents; the owner must not use it afterwards. */
  recycle(): void {
    this.#length = 0
    this.#count = 0
    if (spare.length < MAX_SPARE) spare.push(this)
  }

  /** Every message begins at a multiple of 8. */
  #start(): number {
    return (this.#length + 7) & ~7
  }
}
