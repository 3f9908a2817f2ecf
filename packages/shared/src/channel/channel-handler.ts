/** What a channel reports to the session above it, and the options of a channel. */
import type { Credentials } from 'memfd-native'
import type { IncomingBody } from './packet-reader.ts'

/** What a call came to: a reply's body, or the status of a failure with its body. */
export interface Outcome {
  /** 0 for a reply, otherwise a STATUS_ constant. */
  readonly status: number
  readonly body: IncomingBody
}

export interface IncomingCall {
  /** 0 of a oneway call: it gets no answer. */
  readonly id: number
  readonly object: number
  readonly code: number
  readonly body: IncomingBody
}

export interface ChannelHandler {
  /** The first packet of a client. @throws Violation to refuse it. */
  onHello(credentials: Credentials | null): void
  onTransaction(call: IncomingCall): void
  onRelease(object: number, count: number): void
  /** The peer ends the channel and says why (a FAILURE with id 0). */
  onFarewell(outcome: Outcome): Error
  /** The channel is over, told once: end-of-file, a violation, an error of the socket, or `close()`. */
  onEnd(reason: Error): void
}

export interface ChannelOptions {
  /** The client of a channel sends HELLO and may receive descriptors; the server waits for it. */
  role: 'client' | 'server'
  /** Whether this end accepts descriptors: clients always do, servers by opting in. */
  acceptsFileDescriptors: boolean
  /** Whether what it brings may take the last numbers for descriptors. Default: not. */
  usesReserve?: boolean
  /** The user at the other end, whose share of each turn it takes; where that is not known, this process' own. */
  uid?: number | undefined
}
