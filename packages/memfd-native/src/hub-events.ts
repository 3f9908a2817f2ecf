/** What native code has put down of a batch, field by field: the same as `struct Event` in native/hub/inbox.h. */
import type { Credentials } from './binding.ts'
import { EVENT_INTS, type HubArrays } from './hub-arrays.ts'
import { NO_FDS, type OwnedFd, ownResult } from './owned-fd.ts'
import type { PacketRecord } from './received-packet.ts'

/**
 * The types of events: `EventType` in native/hub/inbox.h. The type that is not listed is a connection that could not be
 * accepted.
 */
const TOLD = 0
export const PACKET = 1
export const END = 2
export const WRITABLE = 3
export const CONNECTION = 4

// Places of the fields of one event.
const SLOT = 0
const TYPE = 1
const OFFSET = 2
const LENGTH = 3
const FLAGS = 4
const FD_START = 5
const FD_COUNT = 6
const PID = 7
const UID = 8
const GID = 9

/** Reads events; `at` is where one begins. */
export class HubEvents {
  readonly #events: Int32Array
  readonly #fds: Int32Array

  constructor({ events, fds }: HubArrays) {
    this.#events = events
    this.#fds = fds
  }

  /** Of which socket or listener. */
  slot(at: number): number {
    return this.#events[at + SLOT] as number
  }

  type(at: number): number {
    return this.#events[at + TYPE] as number
  }

  /** Describes a packet, but for its descriptors. */
  describe(at: number, packet: PacketRecord): void {
    packet.start = this.#events[at + OFFSET] as number
    packet.end = packet.start + (this.#events[at + LENGTH] as number)
    packet.flags = this.#events[at + FLAGS] as number
    packet.credentials = this.credentials(at)
  }

  /**
   * Whether the next event is a packet of the same socket.
   * @param end the end of the current events
   */
  isFollowed(at: number, end: number): boolean {
    const next = at + EVENT_INTS
    return next < end && this.slot(next) === this.slot(at) && this.type(next) === PACKET
  }

  /** Of an end (0: end-of-file) and of a failed accept(2). */
  errno(at: number): number {
    return this.#events[at + FLAGS] as number
  }

  /** It has been told, in another way. Its descriptors were taken. */
  forget(at: number): void {
    this.#events[at + TYPE] = TOLD
    this.#events[at + FD_COUNT] = 0
  }

  /** The sender of a packet, or the process that connected; null if the kernel gave no credentials. */
  credentials(at: number): Credentials | null {
    const pid = this.#events[at + PID] as number
    return pid < 0 ? null : { pid, uid: this.uid(at), gid: (this.#events[at + GID] as number) >>> 0 }
  }

  hasCredentials(at: number): boolean {
    return (this.#events[at + PID] as number) >= 0
  }

  /** Of the credentials. */
  uid(at: number): number {
    return (this.#events[at + UID] as number) >>> 0
  }

  /** The number of the first descriptor that came: of a connection its only one. */
  firstFd(at: number): number {
    return this.#fds[this.#events[at + FD_START] as number] as number
  }

  /** The descriptors of the packet, which the caller owns from now on. */
  takeFds(at: number): readonly OwnedFd[] {
    const count = this.#events[at + FD_COUNT] as number
    if (count === 0) return NO_FDS
    const start = this.#events[at + FD_START] as number
    const fds: OwnedFd[] = new Array(count)
    for (let i = 0; i < count; i++) fds[i] = ownResult('recvmsg', this.#fds[start + i] as number)
    return fds
  }
}
