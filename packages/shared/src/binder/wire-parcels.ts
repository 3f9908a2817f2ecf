/**
 * Parcels as one channel carries them: binders and descriptors become the channel's numbers on the way out, and local
 * objects and owned descriptors on the way in. A binder of the peer's stays a number until somebody reads it.
 *
 * Parcels that go out are borrowed. A body that came in belongs to the parcel that is made of it.
 */
import type { Fd, OwnedFd } from 'memfd-native'
import type { Channel, IncomingBody } from '../channel/channel.ts'
import { CHANNEL_LIMITS } from '../channel/limits.ts'
import {
  MAX_DATA_BYTES,
  MAX_OBJECTS,
  OBJECT_DESCRIPTOR,
  OBJECT_LOCAL_BINDER,
  OBJECT_REMOTE_BINDER,
  Violation,
  type WireObject,
} from '../channel/message.ts'
import { OutgoingBody } from '../channel/outgoing-body.ts'
import type { CarriedBinder } from '../parcel/carried-binder.ts'
import { acceptsFileDescriptors, type IBinder } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import {
  type BinderSource,
  descriptorOf,
  type ParcelContents,
  type ParcelObject,
  parcelContents,
  parcelFromWire,
  type ReceivedBinder,
  replaceContents,
  type WrittenObject,
} from '../parcel/parcel-objects.ts'
import { show } from '../util/check.ts'
import {
  ClosedError,
  InvalidArgTypeError,
  type LimitError,
  TransactionTooLargeError,
  UnsupportedOperationError,
} from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { Binder } from './binder.ts'
import { BinderProxy } from './binder-proxy.ts'
import { counted } from './imports.ts'
import type { OwnObjects } from './own-objects.ts'
import { type PeerObjects, ROOT } from './peer-objects.ts'

const NO_OBJECTS: ParcelObject[] = []

/** The peers of all channels: those whose socket accepts descriptors, and the others. */
const ACCEPTING = Object.freeze({ [acceptsFileDescriptors]: true })
const REFUSING = Object.freeze({ [acceptsFileDescriptors]: false })

/** The objects of a parcel as they travel. */
interface Packed {
  readonly objects: WireObject[]
  /** Borrowed. */
  readonly fds: Fd[]
}

export interface WireParcelsOptions {
  own: OwnObjects
  peers: PeerObjects
  /** Whether the peer's socket accepts descriptors. */
  peerAcceptsFileDescriptors: boolean
}

export class WireParcels implements BinderSource {
  /** The peer as the receiver of a reply: see `Parcel.obtain`. */
  readonly peer: Pick<IBinder, typeof acceptsFileDescriptors>
  readonly #channel: Channel
  readonly #own: OwnObjects
  readonly #peers: PeerObjects

  constructor(channel: Channel, { own, peers, peerAcceptsFileDescriptors }: WireParcelsOptions) {
    this.peer = peerAcceptsFileDescriptors ? ACCEPTING : REFUSING
    this.#channel = channel
    this.#own = own
    this.#peers = peers
  }

  /**
   * A parcel for the wire. The peer holds the binders in it from here on: `releaseUnsent` if it does not leave.
   * @param accepts whether its receiver accepts descriptors
   * @throws ERR_TRANSACTION_TOO_LARGE, ERR_LIMIT, ERR_UNSUPPORTED_OPERATION, ERR_INVALID_ARG_TYPE; then it holds none
   */
  pack(parcel: Parcel, accepts = this.peer[acceptsFileDescriptors]): OutgoingBody {
    const { bytes, size, objects, lent } = contentsOf(parcel)
    if (objects.length === 0) return new OutgoingBody(bytes, undefined, undefined, size, lent)
    checkCounts(objects)
    const packed: Packed = { objects: [], fds: [] }
    try {
      for (const object of objects) this.#packObject(object, accepts, packed)
    } catch (error) {
      this.releaseUnsent(packed)
      throw error
    }
    return new OutgoingBody(bytes, packed.objects, packed.fds, size)
  }

  /** The body did not leave: the peer holds none of the references in it. */
  releaseUnsent(body: Pick<OutgoingBody, 'objects'>): void {
    if (this.#channel.isEnded) return
    for (const object of body.objects) if (isCounted(object)) this.#own.release(object.number, 1)
  }

  /** A body that came and was not admitted: its descriptors are closed, its binders given back. */
  refuse(body: IncomingBody): void {
    for (const fd of body.fds) fd.close()
    if (body.objects.length > 0) this.#channel.release(counted(countedNumbers(body)))
  }

  /** The binders of a body will be held, each until it is opened or given back; or the limit that forbids it. */
  admit(body: IncomingBody): LimitError | null {
    const count = body.objects.length === 0 ? 0 : body.objects.filter(isCounted).length
    return count === 0 ? null : this.#peers.admit(count)
  }

  /** The parcel of a body that was admitted. Not to be forgotten: it is recycled. @throws Violation */
  unpackAdmitted(body: IncomingBody): Parcel {
    const objects = this.#receive(body)
    return parcelFromWire(body, objects, this.#sourceOf(objects))
  }

  /** As unpackAdmitted, and admits it. @throws Violation */
  unpack(body: IncomingBody): Parcel {
    this.#admitOrThrow(body)
    return this.unpackAdmitted(body)
  }

  /** As unpack, into a parcel that waits for it. @throws Violation; ERR_CLOSED it was recycled meanwhile */
  unpackInto(parcel: Parcel, body: IncomingBody): void {
    this.#admitOrThrow(body)
    const objects = this.#receive(body)
    replaceContents(parcel, body, objects, this.#sourceOf(objects))
  }

  // --- for parcels whose binders came by this channel ---

  open({ number, acceptsFileDescriptors: accepts }: ReceivedBinder): IBinder {
    return this.#peers.open(number, accepts)
  }

  releaseUnread(objects: readonly ParcelObject[]): void {
    const numbers = new Uint32Array(objects.length)
    let count = 0
    for (const object of objects) {
      if (object.kind === 'received' && object.binder === null && object.number !== ROOT)
        numbers[count++] = object.number
    }
    if (count > 0) this.#peers.releaseUnread(numbers.subarray(0, count))
  }

  #sourceOf(objects: readonly ParcelObject[]): BinderSource | null {
    return objects.length > 0 && objects.some(({ kind }) => kind === 'received') ? this : null
  }

  #admitOrThrow(body: IncomingBody): void {
    const limit = this.admit(body)
    if (limit !== null) throw new Violation(limit.message)
  }

  #packObject(object: WrittenObject, accepts: boolean, packed: Packed): void {
    const { offset } = object
    if (object.kind === 'fd') {
      if (!accepts) throw new UnsupportedOperationError('the other side does not accept descriptors in this call')
      packed.objects.push({ offset, type: OBJECT_DESCRIPTOR, number: packed.fds.length, acceptsFileDescriptors: false })
      packed.fds.push(descriptorOf(object))
    } else packed.objects.push(this.#packBinder(object.binder, offset))
  }

  #packBinder(binder: CarriedBinder, offset: number): WireObject {
    if (binder instanceof BinderProxy) {
      if (binder.link !== this.#peers.link) {
        throw new UnsupportedOperationError(
          'a proxy of another channel cannot be sent: the receiver can get the service from the registry',
        )
      }
      if (!binder.isBinderAlive()) throw new ClosedError('a proxy that was closed cannot be sent')
      return { offset, type: OBJECT_REMOTE_BINDER, number: binder.objectNumber, acceptsFileDescriptors: false }
    }
    if (!(binder instanceof Binder)) throw new InvalidArgTypeError(`a binder must extend Binder, got ${show(binder)}`)
    return {
      offset,
      type: OBJECT_LOCAL_BINDER,
      number: this.#own.send(binder),
      acceptsFileDescriptors: binder[acceptsFileDescriptors],
    }
  }

  /** The objects of a body for a parcel, which owns the descriptors from then on. @throws Violation */
  #receive(body: IncomingBody): ParcelObject[] {
    if (body.objects.length === 0) return NO_OBJECTS
    for (const { type, number } of body.objects) {
      // Before anybody owns the descriptors.
      if (type === OBJECT_REMOTE_BINDER && this.#own.get(number) === undefined) {
        throw new Violation(`object ${number} is not of this side`)
      }
    }
    return body.objects.map((object) => this.#receiveObject(object, body.fds))
  }

  #receiveObject(
    { offset, type, number, acceptsFileDescriptors: accepts }: WireObject,
    fds: readonly OwnedFd[],
  ): ParcelObject {
    if (type === OBJECT_REMOTE_BINDER) return { offset, kind: 'binder', binder: this.#own.get(number) as Binder }
    if (type === OBJECT_DESCRIPTOR) return { offset, kind: 'fd', fd: fds[number] as OwnedFd }
    // A client cannot send descriptors to a server whose socket refuses them, whatever the object would take.
    return {
      offset,
      kind: 'received',
      number,
      acceptsFileDescriptors: accepts && this.peer[acceptsFileDescriptors],
      binder: null,
    }
  }
}

/** Whether sending it gave the receiver a reference. */
function isCounted({ type, number }: WireObject): boolean {
  return type === OBJECT_LOCAL_BINDER && number !== ROOT
}

function countedNumbers({ objects }: IncomingBody): Uint32Array {
  return Uint32Array.from(objects.filter(isCounted), ({ number }) => number)
}

/** @throws ERR_TRANSACTION_TOO_LARGE */
function contentsOf(parcel: Parcel): ParcelContents {
  checkSize(parcel.dataSize())
  const contents = parcelContents(parcel)
  if (contents.lent !== null) checkSize(contents.size + contents.lent.length)
  return contents
}

function checkSize(bytes: number): void {
  if (bytes <= MAX_DATA_BYTES) return
  throw new TransactionTooLargeError(`a parcel must have at most ${MAX_DATA_BYTES} bytes, this one has ${bytes}`)
}

function checkCounts(objects: readonly WrittenObject[]): void {
  if (objects.length > MAX_OBJECTS) {
    throw new TransactionTooLargeError(
      `a parcel must have at most ${MAX_OBJECTS} objects, this one has ${objects.length}`,
    )
  }
  let fds = 0
  for (let i = 0; i < objects.length; i++) fds += Number(objects[i]?.kind === 'fd')
  const { messageDescriptors } = CHANNEL_LIMITS
  if (fds > messageDescriptors.limit) throw limitError(messageDescriptors, fds)
}
