/**
 * What one channel receives. Packets are served during the turn of the channel's user. Later packets, and the rest of
 * one, are kept here and served in the user's next turn.
 */

import type { ReceivedPacket } from 'memfd-native'
import { NO_FDS } from '../util/empty-lists.ts'
import { LimitError } from '../util/errors.ts'
import { beginPacket, endPacket } from '../util/packet-clock.ts'
import { nextTick } from '../util/timers.ts'
import type { HeldBytes } from './held-bytes.ts'
import { type KeptPacket, KeptPackets } from './kept-packets.ts'
import { Violation } from './message.ts'
import { DescriptorsLost, type PacketReader } from './packet-reader.ts'
import type { Keeper, User } from './user.ts'

/** Whom the inbox tells. */
export interface InboxOwner {
  /** Nothing more is served once it is. */
  readonly isEnded: boolean
  /** The peer closed its end, and all that it had sent before has been served. */
  onEndOfPackets(): void
  /** The channel has to end: the peer is at fault, or descriptors were lost. */
  onFault(reason: Error): void
  /** The channel must end, and its peer should get the reason. */
  onOverLimit(limit: LimitError): void
}

export class Inbox implements Keeper {
  readonly #owner: InboxOwner
  readonly #reader: PacketReader
  readonly #held: HeldBytes
  readonly #user: User
  #kept: KeptPackets | null = null

  /**
   * @param held the account to which kept packets are charged
   * @param user the user in whose turns they are served
   */
  constructor(owner: InboxOwner, reader: PacketReader, held: HeldBytes, user: User) {
    this.#owner = owner
    this.#reader = reader
    this.#held = held
    this.#user = user
  }

  /** A packet came. Borrowed, but for its descriptors. */
  take(packet: ReceivedPacket): void {
    if (this.#kept === null && this.#user.mayBegin()) this.#serve(packet)
    else this.#keepWhole(packet)
  }

  /** No more packets will come. */
  takeEnd(): void {
    if (this.#kept === null && this.#user.mayBegin()) this.#owner.onEndOfPackets()
    else this.#keep().addEnd()
  }

  /** Like `take`, for a packet that was received early: it is kept for its turn. */
  keep(packet: ReceivedPacket): void {
    if (this.#owner.isEnded) for (const fd of packet.fds) fd.close()
    else this.#keepWhole(packet)
  }

  /** As `takeEnd`, likewise. */
  keepEnd(): void {
    if (!this.#owner.isEnded) this.#keep().addEnd()
  }

  /** Serves the oneway calls to this object that are kept, before their turn. In the middle of one this may be called again. */
  serveEarly(object: number): void {
    for (let packet = this.#takeOneway(object); packet !== null; packet = this.#takeOneway(object)) {
      this.#readEarly(packet)
    }
  }

  serveKept(): boolean {
    const kept = this.#kept
    if (kept === null) return false
    const packet = kept.first
    if (packet === null) this.#owner.onEndOfPackets()
    else if (packet !== undefined) this.#serveFirst(kept, packet) // otherwise all of it was served early
    if (!kept.isEmpty) return true
    this.#kept = null
    return false
  }

  /** The channel is over: nothing more is served. */
  close(): void {
    this.#user.leave(this)
    this.#kept?.drop()
    this.#reader.close()
  }

  #readEarly(packet: KeptPacket): void {
    try {
      this.#reader.readEarly(packet)
    } catch (error) {
      for (const fd of packet.fds) fd.close()
      if (!(error instanceof Violation)) throw error
      this.#owner.onFault(error)
    }
  }

  /** Descriptors that cannot be charged cannot wait, and the packets after them could not be served in order. */
  #keepWhole(packet: ReceivedPacket): void {
    try {
      this.#keep().add(packet)
    } catch (error) {
      if (!(error instanceof LimitError)) throw error
      this.#owner.onOverLimit(error)
    }
  }

  /** Serves a packet, and keeps the part for which there is no time. */
  #serve(packet: ReceivedPacket): void {
    const stop = this.#read(packet)
    if (stop === packet.end || this.#owner.isEnded) return
    // Before what was taken in meanwhile.
    this.#keep().addFirst({ ...packet, start: stop, fds: NO_FDS, credentials: null })
  }

  /** @returns where it stopped */
  #read(packet: ReceivedPacket): number {
    beginPacket()
    try {
      return this.#reader.read(packet)
    } catch (error) {
      for (const fd of packet.fds) fd.close()
      if (!(error instanceof Violation || error instanceof DescriptorsLost)) throw error
      this.#owner.onFault(error)
      return packet.end
    } finally {
      endPacket()
    }
  }

  #keep(): KeptPackets {
    if (this.#kept !== null) return this.#kept
    this.#kept = new KeptPackets(this.#held)
    this.#user.keep(this)
    return this.#kept
  }

  #takeOneway(object: number): KeptPacket | null {
    return this.#owner.isEnded ? null : (this.#kept?.takeOneway(object) ?? null)
  }

  /**
   * The packet does not own its descriptors any more: they belong to the bodies, also if the channel ends meanwhile.
   */
  #serveFirst(kept: KeptPackets, packet: KeptPacket): void {
    const fds = kept.beginFirst()
    let stop = packet.end // of one that fails, as straight from the hub: what is behind the fault is lost with it
    try {
      stop = this.#read({ ...packet, fds })
    } catch (error) {
      nextTick(() => {
        throw error
      })
    }
    kept.endFirst(stop)
  }
}
