/**
 * Splits the packets of one channel into messages, and joins bodies that come in parts. It does not trust the peer:
 * anything that differs from docs/protocol.md is a `Violation`, before it is used.
 */
import type { Buffer } from 'node:buffer'
import { type Credentials, constants, type OwnedFd, type ReceivedPacket } from 'memfd-native'
import { NO_OBJECTS } from '../util/empty-lists.ts'
import { DeadObjectError } from '../util/errors.ts'
import { withWords } from '../util/words.ts'
import { type AssembledMessage, Assembly } from './assembly.ts'
import type { HeldBytes } from './held-bytes.ts'
import {
  bodySize,
  foreignVersion,
  HEADER_BYTES,
  type Header,
  KIND_CONTINUATION,
  KIND_HELLO,
  readHeader,
  readObjects,
  Violation,
  type WireObject,
} from './message.ts'

/** A body as it came: the parcel's data, its objects, and the descriptors that the objects name. */
export interface IncomingBody {
  /** The data is bytes [start, start + size). */
  readonly bytes: Buffer
  readonly start: number
  readonly size: number
  /** The bytes are the hub's and must be copied before the handler returns; otherwise they are the handler's. */
  readonly isBorrowed: boolean
  readonly objects: readonly WireObject[]
  /** The handler's. */
  readonly fds: readonly OwnedFd[]
}

/** Whom the reader tells. */
export interface MessageSink {
  /** Nothing more is read once it is. */
  readonly isEnded: boolean
  /** Whether the next message of a packet may be told now. */
  mayGoOn(): boolean
  /** A client of another version of the protocol; the reader throws next. */
  onForeignVersion(): void
  onHello(credentials: Credentials | null): void
  /** A transaction, reply, failure or release, whole. */
  onMessage(header: Header, body: IncomingBody): void
}

/** The channel's end, and not its peer's fault. */
export class DescriptorsLost extends DeadObjectError {}

export class PacketReader {
  readonly #sink: MessageSink
  readonly #held: HeldBytes
  readonly #acceptsFileDescriptors: boolean
  #awaitsHello: boolean
  #assembly: Assembly | null = null
  #hasMore = false

  /** @param held what a body has that is not whole yet is a part of it */
  constructor(sink: MessageSink, held: HeldBytes, options: { awaitsHello: boolean; acceptsFileDescriptors: boolean }) {
    this.#sink = sink
    this.#held = held
    this.#awaitsHello = options.awaitsHello
    this.#acceptsFileDescriptors = options.acceptsFileDescriptors
  }

  /** Whether the current packet has more messages after the current one. */
  get hasMore(): boolean {
    return this.#hasMore
  }

  /**
   * Reads a packet, or the rest of one. Its descriptors belong to the body that names them, or, if this throws, still
   * to the caller.
   * @returns its `end`, or where it stopped because it may not go on
   * @throws Violation; DescriptorsLost
   */
  read({ bytes, start, end, fds, flags, credentials }: ReceivedPacket): number {
    if (flags !== 0) throw this.#lossOf(flags)
    if (start === end) throw new Violation('an empty packet')
    withWords(bytes) // its bodies are copied
    if (this.#awaitsHello) this.#checkVersion(bytes, start, end)
    for (let at = start; at < end && !this.#sink.isEnded; ) {
      const header = readHeader(bytes, at, end)
      const next = at + ((HEADER_BYTES + header.bodyBytesInPacket + 7) & ~7)
      if (header.descriptorCount !== fds.length) throw announcedOthers(fds.length, header.descriptorCount)
      if (fds.length > 0 && (at !== start || next < end)) throw new Violation('descriptors and several messages')
      this.#hasMore = next < end
      if (this.#awaitsHello || header.kind === KIND_HELLO) this.#readHello(header, credentials)
      else this.#readMessage(header, bytes, at + HEADER_BYTES, fds)
      at = next
      if (at < end && !this.#sink.mayGoOn()) return at
    }
    return end
  }

  /** Reads a packet of one whole message before its turn. @throws Violation; its descriptors are still the caller's then */
  readEarly({ bytes, start, end, fds }: ReceivedPacket): void {
    const header = readHeader(bytes, start, end)
    this.#sink.onMessage(header, openBody(header, bytes, start + HEADER_BYTES, fds, true))
  }

  /** Forgets a half-received body and closes its descriptors. */
  close(): void {
    this.#assembly?.close()
    this.#assembly = null
  }

  /** What recvmsg(2) cut off. Descriptors that are accepted are lost only for want of room in this process. */
  #lossOf(flags: number): Error {
    if ((flags & constants.MSG_TRUNC) !== 0) return new Violation('a packet was too long')
    if (!this.#acceptsFileDescriptors) return new Violation('descriptors came that are not accepted')
    return new DescriptorsLost('descriptors that came were lost: this process has no room for more')
  }

  #checkVersion(bytes: Buffer, start: number, end: number): void {
    const version = foreignVersion(bytes, start, end)
    if (version === null) return
    this.#sink.onForeignVersion()
    throw new Violation(`version ${version} of the protocol`)
  }

  #readHello(header: Header, credentials: Credentials | null): void {
    if (this.#hasMore) throw new Violation('HELLO is not alone in its packet')
    if (!this.#awaitsHello || header.kind !== KIND_HELLO) throw new Violation('HELLO is the first packet, and only it')
    this.#awaitsHello = false
    this.#sink.onHello(credentials)
  }

  #readMessage(header: Header, bytes: Buffer, at: number, fds: readonly OwnedFd[]): void {
    if ((this.#assembly !== null) !== (header.kind === KIND_CONTINUATION)) {
      throw new Violation('the parts of a body must follow each other')
    }
    if (this.#assembly !== null) this.#readPart(this.#assembly, header, bytes, at)
    else if (header.bodyBytesInPacket < bodySize(header)) {
      if (this.#hasMore) throw new Violation('a body that goes on must end its packet')
      this.#assembly = new Assembly(this.#held)
      this.#assembly.start(header, bytes, at, fds)
    } else this.#sink.onMessage(header, openBody(header, bytes, at, fds, true))
  }

  #readPart(assembly: Assembly, header: Header, bytes: Buffer, at: number): void {
    if (this.#hasMore) throw new Violation('a continuation is not alone in its packet')
    const whole = assembly.add(header, bytes, at)
    if (whole === null) return
    this.#assembly = null
    this.#deliverAssembled(whole)
  }

  #deliverAssembled({ header, body, fds }: AssembledMessage): void {
    try {
      this.#sink.onMessage(header, openBody(header, body, 0, fds, false))
    } catch (error) {
      for (const fd of fds) fd.close() // they came with an earlier packet than the one that is at fault
      throw error
    }
  }
}

/** Not where it is thrown: there V8 makes words of the numbers for each message, ahead of knowing that it needs them. */
function announcedOthers(came: number, announced: number): Violation {
  return new Violation(`${came} descriptors came, ${announced} were announced`)
}

function openBody(
  header: Header,
  bytes: Buffer,
  start: number,
  fds: readonly OwnedFd[],
  isBorrowed: boolean,
): IncomingBody {
  const size = header.dataSize
  if (header.objectCount > 0) {
    return { bytes, start, size, isBorrowed, objects: readObjects(bytes, start, header, fds.length), fds }
  }
  if (fds.length > 0) throw new Violation('descriptors that no object names')
  return { bytes, start, size, isBorrowed, objects: NO_OBJECTS, fds }
}
