/** A packet on its way from the hub to its handler: one object that is used again for each, so that none costs garbage. */
import type { Buffer } from 'node:buffer'
import type { Credentials } from './binding.ts'
import { NO_FDS, type OwnedFd } from './owned-fd.ts'

/** A packet that the hub has received. The object is reused after `onPacket` returns: copy what you keep. */
export interface ReceivedPacket {
  /** The hub's buffer; the packet is the bytes from `start` to `end`, exclusive. */
  readonly bytes: Buffer
  /** Where the packet begins in `bytes`. */
  readonly start: number
  /** Where it ends, exclusive. */
  readonly end: number
  /** The descriptors of the packet. The array and the descriptors belong to the handler. */
  readonly fds: readonly OwnedFd[]
  /** MSG_TRUNC and MSG_CTRUNC as recvmsg(2) reported them. */
  readonly flags: number
  /** The sender, if SO_PASSCRED is on. */
  readonly credentials: Credentials | null
  /**
   * Whether the next packet of this socket follows in this batch at once, so that answers to both can be sent together.
   */
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
