/**
 * The memory that a hub and native code share, for the life of the thread. It is all in SharedArrayBuffers, because
 * those cannot be detached. The bytes of a packet give its handler access to the whole buffer, and transferring that
 * would take it away from native code.
 */
import { Buffer } from 'node:buffer'

/** The most descriptors in one packet: the kernel's SCM_MAX_FD. */
export const MAX_PACKET_FDS = 253

/** The longest packet, in bytes. A longer one arrives cut, with MSG_TRUNC. */
export const MAX_PACKET_BYTES = 65536

/** Sockets that one native call sends to, and what there is of each: slot, word, result. */
export const MAX_TARGETS = 1024
export const TARGET_INTS = 3

/** How long a packet may be that waits for the end of a batch, and what there is of each: slot, length, result. */
export const CELL_BYTES = 512
export const DEFERRED_INTS = 3

/** What there is of each event: hub-events.ts. */
export const EVENT_INTS = 10

/** What there is of a batch: first, count, mayDefer, turn, seconds, nanoseconds. */
export const BATCH_INTS = 6

const ARENA_BYTES = 1 << 20
const MAX_EVENTS = 1024
const MAX_BATCH_FDS = 2048
const MAX_DEFERRED = 64

/** What native code is given when the hub is made. */
export interface HubArrays {
  /** Packets as they came. */
  readonly arena: Buffer
  /** What has happened, in that order. */
  readonly events: Int32Array
  /** Descriptors that came, and in the last 253 entries those to send. */
  readonly fds: Int32Array
  /** The packet to send. */
  readonly outgoing: Buffer
  /** Of a broadcast. */
  readonly targets: Int32Array
  /** Short packets that wait for the end of a batch, and what there is of each. */
  readonly cells: Buffer
  readonly deferred: Int32Array
  /** Of the batch that is handed over. */
  readonly batch: Int32Array
}

export function makeHubArrays(): HubArrays {
  return {
    arena: lastingBytes(ARENA_BYTES),
    events: lastingInts(MAX_EVENTS * EVENT_INTS),
    fds: lastingInts(MAX_BATCH_FDS + MAX_PACKET_FDS),
    outgoing: lastingBytes(MAX_PACKET_BYTES),
    targets: lastingInts(MAX_TARGETS * TARGET_INTS),
    cells: lastingBytes(MAX_DEFERRED * CELL_BYTES),
    deferred: lastingInts(MAX_DEFERRED * DEFERRED_INTS),
    batch: lastingInts(BATCH_INTS),
  }
}

/** The part of `fds` whose descriptors are sent. */
export function outgoingFdsOf({ fds }: HubArrays): Int32Array {
  return fds.subarray(fds.length - MAX_PACKET_FDS)
}

function lastingBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length))
}

function lastingInts(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
}
