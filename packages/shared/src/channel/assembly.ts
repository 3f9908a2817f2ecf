/**
 * Joins a body that arrives in several packets. It holds at most twice the bytes that have arrived, whatever size was
 * announced.
 */
import { Buffer } from 'node:buffer'
import type { OwnedFd } from 'memfd-native'
import type { HeldBytes } from './held-bytes.ts'
import { bodySize, type Header, Violation } from './message.ts'

export interface AssembledMessage {
  readonly header: Header
  readonly body: Buffer
  readonly fds: readonly OwnedFd[]
}

export class Assembly {
  readonly #held: HeldBytes
  #header: Header | null = null
  #fds: readonly OwnedFd[] = []
  #bytes = Buffer.alloc(0)
  #size = 0

  /** @param held the account to which its bytes are charged until it is complete */
  constructor(held: HeldBytes) {
    this.#held = held
  }

  /** Takes the first part, and the descriptors, which all come with it. @throws Violation as add */
  start(header: Header, bytes: Buffer, at: number, fds: readonly OwnedFd[]): void {
    this.#pay(() => this.#held.addDescriptors(fds.length))
    this.#header = header
    this.#fds = fds
    this.#append(header.bodyBytesInPacket, bodySize(header), bytes, at)
  }

  /** Takes the next part; answers the whole once nothing is missing. @throws Violation; also when nobody pays for more */
  add(header: Header, bytes: Buffer, at: number): AssembledMessage | null {
    const first = this.#header
    if (first === null || header.id !== first.id) throw new Violation('a continuation of another message')
    const size = bodySize(first)
    if (header.bodyBytesInPacket > size - this.#size) throw new Violation('a continuation beyond the end of its body')
    this.#append(header.bodyBytesInPacket, size, bytes, at)
    if (this.#size < size) return null
    const whole = { header: first, body: this.#bytes, fds: this.#fds }
    this.#clear()
    return whole
  }

  /** Forgets a half-received body and closes its descriptors. */
  close(): void {
    for (const fd of this.#fds) fd.close()
    this.#clear()
  }

  /** In one buffer, which doubles: a peer may well send a body in a million parts. */
  #append(count: number, wholeSize: number, bytes: Buffer, at: number): void {
    const size = this.#size + count
    if (size > this.#bytes.length) this.#grow(Math.min(Math.max(size, 2 * this.#bytes.length), wholeSize))
    bytes.copy(this.#bytes, this.#size, at, at + count)
    this.#size = size
  }

  #grow(capacity: number): void {
    this.#pay(() => this.#held.add(capacity - this.#bytes.length))
    const larger = Buffer.allocUnsafe(capacity)
    this.#bytes.copy(larger, 0, 0, this.#size)
    this.#bytes = larger
  }

  #pay(charge: () => void): void {
    try {
      charge()
    } catch (cause) {
      throw new Violation((cause as Error).message, { cause })
    }
  }

  #clear(): void {
    this.#held.remove(this.#bytes.length)
    this.#held.removeDescriptors(this.#fds.length)
    this.#header = null
    this.#fds = []
    this.#bytes = Buffer.alloc(0)
    this.#size = 0
  }
}
