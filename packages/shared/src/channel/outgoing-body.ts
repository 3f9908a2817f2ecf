/** What a sender has to say: the fields of a header that are his to choose, and a body. */
import { Buffer } from 'node:buffer'
import type { Fd } from 'memfd-native'
import { NO_FDS, NO_OBJECTS } from '../util/empty-lists.ts'
import { copyBytes } from '../util/words.ts'
import { type WireObject, writeHeader, writeObject } from './message.ts'

/** The fields of a header that a sender chooses. */
export interface Envelope {
  kind: number
  id: number
  object: number
  code: number
  oneway: boolean
}

/**
 * A body to be sent: a parcel's data, with the numbers of its objects on this channel, and the descriptors (borrowed).
 * Within the limits of a parcel: who makes it has checked.
 */
export class OutgoingBody {
  static readonly EMPTY = new OutgoingBody(Buffer.alloc(0))

  readonly #bytes: Buffer
  /** Bytes of the parcel's data that are in `#bytes`. */
  readonly #ownSize: number
  /**
   * The last part of the data, if it is in another buffer; also borrowed. Such a body has no objects and no
   * descriptors.
   */
  readonly lent: Uint8Array | null
  /** Of the parcel's data: a multiple of 4. */
  readonly dataSize: number
  readonly objects: readonly WireObject[]
  readonly fds: readonly Fd[]

  /** @param bytes the data is its first `ownSize` bytes, and `lent`: borrowed until the message has been sent or queued */
  constructor(
    bytes: Buffer,
    objects: readonly WireObject[] = NO_OBJECTS,
    fds: readonly Fd[] = NO_FDS,
    ownSize = bytes.length,
    lent: Uint8Array | null = null,
  ) {
    this.#bytes = bytes
    this.#ownSize = ownSize
    this.lent = lent
    this.dataSize = lent === null ? ownSize : ownSize + lent.length
    this.objects = objects
    this.fds = fds
  }

  get size(): number {
    return this.dataSize + 4 * this.objects.length
  }

  /**
   * Copies the part that is not in another buffer.
   * @returns how many bytes
   */
  copyOwnTo(target: Buffer, at: number): number {
    copyBytes(this.#bytes, 0, target, at, this.#ownSize)
    return this.#ownSize
  }

  /** Copies the body, objects filled in, to `target` at `at`. */
  copyTo(target: Buffer, at: number): void {
    this.copyOwnTo(target, at)
    if (this.lent !== null) target.set(this.lent, at + this.#ownSize)
    if (this.objects.length === 0) return
    for (let i = 0; i < this.objects.length; i++) {
      const object = this.objects[i] as WireObject
      writeObject(target, at, object)
      target.writeUInt32LE(object.offset, at + this.dataSize + 4 * i)
    }
  }
}

/**
 * Writes the header of a message whose body begins with `bodyBytesInPacket` bytes in the same packet.
 * @param at where the header begins; the body is behind it already
 */
export function writeMessage(
  bytes: Buffer,
  at: number,
  envelope: Envelope,
  body: OutgoingBody,
  bodyBytesInPacket: number,
): void {
  writeHeader(bytes, at, {
    kind: envelope.kind,
    oneway: envelope.oneway,
    id: envelope.id,
    object: envelope.object,
    code: envelope.code,
    dataSize: body.dataSize,
    objectCount: body.objects.length,
    bodyBytesInPacket,
    descriptorCount: body.fds.length,
  })
}
