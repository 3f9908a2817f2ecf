/** Limits of one channel, for libraries and daemons alike. docs/protocol.md, section 8. */
import { MAX_PACKET_BYTES, MAX_PACKET_FDS } from 'memfd-native'
import type { Limit } from '../util/limit.ts'
import { MAX_DATA_BYTES, MAX_OBJECTS } from './message.ts'

export const CHANNEL_LIMITS = {
  packetBytes: {
    name: 'bytes of a packet',
    limit: MAX_PACKET_BYTES,
    unit: 'bytes',
    error: 'ERR_DEAD_OBJECT',
    meaning: 'one send; longer parcels are split, so only a peer that breaks the protocol exceeds it',
  },
  parcelBytes: {
    name: 'bytes of a parcel',
    limit: MAX_DATA_BYTES,
    unit: 'bytes',
    error: 'ERR_TRANSACTION_TOO_LARGE',
    meaning: "a request or a reply; the sender gets the error. The number is Android's",
  },
  messageObjects: {
    name: 'objects of a message',
    limit: MAX_OBJECTS,
    unit: 'objects',
    error: 'ERR_TRANSACTION_TOO_LARGE',
    meaning: 'descriptors and binders in one parcel; the sender gets the error',
  },
  messageDescriptors: {
    name: 'descriptors of a message',
    limit: MAX_PACKET_FDS,
    unit: 'descriptors',
    error: 'ERR_LIMIT',
    meaning: "the kernel's SCM_MAX_FD",
  },
  // Far above a sensible `Promise.all`, and low enough that a peer's unanswered calls cost a few megabytes at most.
  pendingCalls: {
    name: 'calls pending on a channel',
    limit: 1024,
    unit: 'calls',
    error: 'ERR_LIMIT',
    meaning: 'two-way calls of one side that have no answer yet',
  },
  // The kernel's own queue (about 200 KiB) comes first.
  queuedBytes: {
    name: 'bytes queued on a channel',
    limit: 1024 * 1024,
    unit: 'bytes',
    error: 'ERR_LIMIT',
    meaning:
      'wait in user space because the peer does not read; a peer that does not read its answers loses the channel',
  },
  queuedDescriptors: {
    name: 'descriptors queued on a channel',
    limit: 256,
    unit: 'descriptors',
    error: 'ERR_LIMIT',
    meaning: 'descriptors that wait with those bytes; each is an open file of the sender',
  },
  // AOSP's RPC binder ends a session at the same number.
  onewayBacklog: {
    name: 'oneway calls waiting on a channel',
    limit: 10_000,
    unit: 'calls',
    error: 'ERR_DEAD_OBJECT',
    meaning: 'received and not finished; nobody waits for an answer, so the channel ends',
  },
  // Android has 1 MiB for a whole process; never tuned.
  heldBytes: {
    name: 'bytes of calls under way on a channel',
    limit: 16 * 1024 * 1024,
    unit: 'bytes',
    error: 'ERR_LIMIT',
    meaning: 'of requests that were received and are not finished',
  },
  // Two full messages. A channel with a budget uses that instead.
  heldDescriptors: {
    name: 'descriptors of calls under way on a channel',
    limit: 512,
    unit: 'descriptors',
    error: 'ERR_LIMIT',
    meaning: 'the same, on a channel to a service; what clients send is counted with heldDescriptors',
  },
  proxies: {
    name: 'objects of the peer on a channel',
    limit: 4096,
    unit: 'objects',
    error: 'ERR_LIMIT',
    meaning: 'binders of the peer that this side holds',
  },
  descriptorWait: {
    name: 'wait for others to read descriptors',
    limit: 2000,
    unit: 'milliseconds',
    error: 'ERR_LIMIT',
    meaning: 'how long an answer with descriptors waits if others of the same user have used up `unreadDescriptors`',
  },
  helloTimeout: {
    name: 'time until HELLO',
    limit: 5000,
    unit: 'milliseconds',
    error: 'ERR_DEAD_OBJECT',
    meaning: 'a client that has not sent HELLO by then is disconnected',
  },
} as const satisfies Record<string, Limit>
