/**
 * The packets of a channel that were received, but not served in its user's turn, in order. For each user this is at
 * most one batch of the hub, because the hub does not receive from the user's sockets while any packet is left.
 */
import { Buffer } from 'node:buffer'
import type { OwnedFd, ReceivedPacket } from 'memfd-native'
import { NO_FDS } from '../util/empty-lists.ts'
import { LimitError } from '../util/errors.ts'
import type { HeldBytes } from './held-bytes.ts'
import { bodySize, HEADER_BYTES, type Header, KIND_TRANSACTION, readHeader, Violation } from './message.ts'

/** A packet, or what is left of one. */
export interface KeptPacket extends ReceivedPacket {
  start: number
  /** The packet's until they are taken. */
  fds: readonly OwnedFd[]
}

interface Entry {
  /** null: the end of the socket. */
  readonly packet: KeptPacket | null
  readonly paid: number
}

export class KeptPackets {
  readonly #held: HeldBytes
  #entries: Entry[] = []
  #serving: KeptPacket | null = null

  /** @param held what is kept is a part of it */
  constructor(held: HeldBytes) {
    this.#held = held
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Copies its bytes. Its descriptors are taken over, also if it throws. @throws LimitError nobody pays for those: they are closed */
  add({ bytes: borrowed, start, end, fds, flags, credentials }: ReceivedPacket): void {
    this.#payFor(fds)
    const bytes = Buffer.from(borrowed.subarray(start, end))
    const packet = { bytes, start: 0, end: bytes.length, fds, flags, credentials }
    this.#entries.push({ packet, paid: this.#pay(bytes.length) })
  }

  /**
   * Adds the rest of a packet whose beginning was served, before all packets that have arrived since. Otherwise as
   * `add`.
   */
  addFirst(packet: ReceivedPacket): void {
    this.add(packet)
    const last = this.#entries.pop()
    if (last !== undefined) this.#entries.unshift(last)
  }

  /**
   * Takes out the first oneway call to this object that is alone in its packet, as calls with descriptors are. It skips
   * the packet that is being served, and stops at a packet with several messages. Call it again for the next one,
   * because serving a call may take out others.
   */
  takeOneway(object: number): KeptPacket | null {
    for (const [at, { packet, paid }] of this.#entries.entries()) {
      if (packet === null || packet === this.#serving) continue
      const match = matchOneway(packet, object)
      if (match === 'in company') return null
      if (match === 'none') continue
      this.#entries.splice(at, 1)
      this.#held.removeDescriptors(packet.fds.length)
      this.#held.remove(paid)
      return packet
    }
    return null
  }

  /** Behind the packets comes the end. */
  addEnd(): void {
    this.#entries.push({ packet: null, paid: 0 })
  }

  /** What is next; undefined when it is empty. */
  get first(): KeptPacket | null | undefined {
    return this.#entries[0]?.packet
  }

  /**
   * Begins to serve the first packet, until `endFirst`. The caller owns its descriptors from now on, and they are not
   * charged here any more.
   */
  beginFirst(): readonly OwnedFd[] {
    const packet = this.first ?? null
    if (packet === null) return NO_FDS
    this.#serving = packet
    const { fds } = packet
    packet.fds = NO_FDS
    this.#held.removeDescriptors(fds.length)
    return fds
  }

  /** It has been served up to here. */
  endFirst(start: number): void {
    const packet = this.#serving
    this.#serving = null
    if (packet === null || packet !== this.first) return
    packet.start = start
    if (start === packet.end) this.#held.remove(this.#entries.shift()?.paid ?? 0)
  }

  /** The channel is over: nothing of it is served any more. */
  drop(): void {
    for (const { packet, paid } of this.#entries.splice(0)) {
      const { fds } = packet ?? { fds: NO_FDS }
      for (const fd of fds) fd.close()
      this.#held.removeDescriptors(fds.length)
      this.#held.remove(paid)
    }
  }

  #payFor(fds: readonly OwnedFd[]): void {
    try {
      this.#held.addDescriptors(fds.length)
    } catch (error) {
      for (const fd of fds) fd.close()
      throw error
    }
  }

  /** Bytes that nobody pays for are kept all the same, because the order must not be lost: the batch bounds what one user has here. */
  #pay(count: number): number {
    try {
      this.#held.add(count)
      return count
    } catch (error) {
      if (error instanceof LimitError) return 0
      throw error
    }
  }
}

/** Whether a packet contains a oneway call to this object. Violations are found when the packet is served. */
function matchOneway({ bytes, start, fds }: KeptPacket, object: number): 'none' | 'alone' | 'in company' {
  try {
    for (let at = start; at < bytes.length; ) {
      const header = readHeader(bytes, at, bytes.length)
      const next = at + ((HEADER_BYTES + header.bodyBytesInPacket + 7) & ~7)
      if (isOnewayTo(header, object)) {
        const isWhole = header.bodyBytesInPacket === bodySize(header) && header.descriptorCount === fds.length
        return at === start && next >= bytes.length && isWhole ? 'alone' : 'in company'
      }
      at = next
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
  }
  return 'none'
}

function isOnewayTo({ kind, id, object }: Header, to: number): boolean {
  return kind === KIND_TRANSACTION && id === 0 && object === to
}
