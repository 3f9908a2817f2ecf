/** A packet on its way from the hub to its handler: one object that is used again for each, so that none costs garbage. */
import type { Buffer } from 'node:buffer'
import type { Credentials } from './binding.ts'
import { NO_FDS, type OwnedFd } from './owned-fd.ts'

/** What the hub tells of a packet. Borrowed until `onPacket` returns, and then another packet's: copy what you keep. */
export interface ReceivedPacket {
  /** The hub's memory; the packet is bytes [start, end). */
  readonly bytes: Buffer
  /** Where the packet begins in `bytes`. */
  readonly start: number
  /** Where it ends, exclusive. */
  readonly end: number
  /** The descriptors that came along. The array is for the handler to keep, and they are owned by it from here on. */
  readonly fds: readonly OwnedFd[]
  /** MSG_TRUNC and MSG_CTRUNC as recvmsg(2) reported them. */
  readonly flags: number
  /** Of the sender, where SO_PASSCRED is on. */
  readonly credentials: Credentials | null
  /** The next packet of this socket is told right after it, and handlers are quick: answers to both may leave together. */
  readonly isFollowed?: boolean
}

/** The hub's side of it. */
export class PacketRecord implements ReceivedPacket {
  readonly bytes: Buffer
  start = 0
  end = 0
  fds: readonly OwnedFd[] = NO_FDS
  flags = 0
  credentials: Credentials | null = null
  isFollowed = false

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** It was told: nothing that came with it stays reachable from here. */
  clear(): void {
    this.fds = NO_FDS
    this.credentials = null
  }
}
