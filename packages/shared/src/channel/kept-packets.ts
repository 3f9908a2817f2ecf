/**
 * What was received of a channel before its user's turn was over, in order. At most one batch of the hub's for each user:
 * its sockets are not received while any of this is left.
 */
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

  /** What is left of a packet, whose beginning was served: before all that has come since. As `add`. */
  addFirst(packet: ReceivedPacket): void {
    this.add(packet)
    const last = this.#entries.pop()
    if (last !== undefined) this.#entries.unshift(last)
  }

  /**
   * Takes out, in their order, the oneway calls to this object of ours that are alone in their packets, as those with descriptors are. Behind
   * one that is not no other is looked for.
   */
  takeOneway(object: number): KeptPacket[] {
    const found: Entry[] = []
    for (const entry of this.#entries) {
      if (entry.packet === null) continue
      const match = matchOneway(entry.packet, object)
      if (match === 'in company') break
      if (match === 'alone') found.push(entry)
    }
    for (const { packet, paid } of found) {
      this.#held.removeDescriptors(packet?.fds.length ?? 0)
      this.#held.remove(paid)
    }
    this.#entries = this.#entries.filter((entry) => !found.includes(entry))
    return found.flatMap(({ packet }) => packet ?? [])
  }

  /** Behind the packets comes the end. */
  addEnd(): void {
    this.#entries.push({ packet: null, paid: 0 })
  }

  /** What is next; undefined when it is empty. */
  get first(): KeptPacket | null | undefined {
    return this.#entries[0]?.packet
  }

  /** The descriptors of what is next, the caller's from here on: they are paid for here no longer. */
  takeFds(): readonly OwnedFd[] {
    const { packet } = this.#entries[0] ?? { packet: null }
    if (packet === null) return NO_FDS
    const { fds } = packet
    packet.fds = NO_FDS
    this.#held.removeDescriptors(fds.length)
    return fds
  }

  /** What was next has been served. */
  removeFirst(): void {
    this.#held.remove(this.#entries.shift()?.paid ?? 0)
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

/** Whether there are oneway calls to this object in a packet. What breaks the rules is for whoever serves it to find. */
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
