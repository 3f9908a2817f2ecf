/**
 * `Parcel`: typed bytes and the descriptors and binders among them, to be sent or received (android.os.Parcel). The plain
 * values are in `parcel-values.ts`, arrays of them in `parcel-arrays.ts`; here is what needs more than bytes.
 */
import { Buffer } from 'node:buffer'
import { dup, inspected, introduce, OwnedFd } from 'memfd-native'
import { duplicateFd, type FileDescriptor } from '../os/file-descriptor.ts'
import { own, type ParcelFileDescriptor } from '../os/parcel-file-descriptor.ts'
import type { DescriptorSink, DescriptorSource } from '../os/parcel-port.ts'
import { regionSize } from '../os/region.ts'
import { checkBytes, checkFunction, checkNotNull, checkNumber, checkRange, checkString, show } from '../util/check.ts'
import { BadParcelError, ClosedError, IllegalStateError, InvalidArgTypeError, SecurityError } from '../util/errors.ts'
import { acceptsFileDescriptors, type CarriedBinder } from './carried-binder.ts'
import type { IBinder, IInterface } from './ibinder.ts'
import { interfaceToken, readInterfaceToken } from './interface-token.ts'
import { appendBytes, readObject, writeNullObject, writeObject } from './object-bytes.ts'
import {
  type DescriptorContents,
  descriptorOf,
  OBJECT_BYTES,
  type ParcelObject,
  takeDescriptor,
} from './object-table.ts'
import {
  checkBinderOrNull,
  checkCreator,
  checkInterfaceOrNull,
  checkParcelableOrNull,
  wrongType,
} from './parcel-arguments.ts'
import { ParcelArrays } from './parcel-arrays.ts'
import { readBlob, writeBlob } from './parcel-blob.ts'
import { ParcelBuffer } from './parcel-buffer.ts'
import { readException, writeException, writeNoException } from './parcel-exceptions.ts'
import { bufferOf, giveAccess, type ParcelValues } from './parcel-values.ts'
import type { Creator, Parcelable } from './parcelable.ts'

/**
 * A container for the arguments or the result of a call (android.os.Parcel). Until `recycle()` it owns a duplicate of
 * each descriptor that was written into it, and the descriptors that it was received with. {@link ParcelValues} says
 * what applies to every value.
 */
export class Parcel extends ParcelArrays implements DescriptorSink, DescriptorSource {
  readonly #inlineBlobs: boolean
  // Not in `ParcelValues`, which uses them: V8 (of Node.js 20) makes an object in three times the time if a class above has fields.
  #buffer: ParcelBuffer | null = ParcelBuffer.obtain()
  /** In place of `#buffer` while answers are to come, for so many calls. */
  #awaited: ParcelBuffer | null = null
  #waits = 0

  static {
    giveAccess({
      bufferOf: (parcel: Parcel) => parcel.#buffer ?? parcel.#closed(),
      beginWait: (parcel: Parcel) => parcel.#beginWait(),
      endWait: (parcel: Parcel) => parcel.#endWait(),
      waitingBufferOf: (parcel: Parcel) => parcel.#awaited ?? bufferOf(parcel),
      recycle: (parcel: Parcel) => parcel.#recycle(),
    })
  }

  private constructor(inlineBlobs: boolean) {
    super()
    this.#inlineBlobs = inlineBlobs
  }

  /**
   * An empty parcel.
   * @param binder the object to which it will be sent. If that accepts no descriptors, blobs stay inside the parcel
   */
  static obtain(binder: CarriedBinder | null = null): Parcel {
    checkBinderOrNull('binder', binder)
    return new Parcel(binder?.[acceptsFileDescriptors] === false)
  }

  /**
   * Whether `length` bytes of two parcels are equal. Descriptors and binders are not compared.
   * @throws ERR_OUT_OF_RANGE outside one of the parcels
   */
  static compareData(a: Parcel, offsetA: number, b: Parcel, offsetB: number, length: number): boolean {
    return range(a, offsetA, length).equals(range(b, offsetB, length))
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { dataSize: sizeOf(this), state: sizeOf(this) === undefined ? 'recycled' : 'open' })
  }

  /**
   * A copy of the bytes.
   * @throws ERR_ILLEGAL_STATE if the parcel contains descriptors or binders
   */
  marshall(): Buffer {
    const buffer = bufferOf(this)
    if (!buffer.objects.isEmpty)
      throw new IllegalStateError('a parcel with descriptors or binders cannot be turned into bytes')
    return Buffer.from(buffer.view(buffer.size))
  }

  /**
   * Replaces the contents with a copy of the bytes; the position is at their end.
   * @throws ERR_OUT_OF_RANGE outside `bytes`
   */
  unmarshall(bytes: Uint8Array, offset: number, length: number): void {
    checkBytes('bytes', bytes)
    checkRange('offset', offset, length, bytes.length)
    const buffer = bufferOf(this)
    buffer.resize(0)
    buffer.writeBytes(bytes.subarray(offset, offset + length))
  }

  /**
   * Copies a part of another parcel to the position, with the descriptors (as duplicates) and binders that are
   * completely in it.
   * @throws ERR_OUT_OF_RANGE outside `parcel`; ERR_SECURITY over a descriptor or binder; EMFILE. Then nothing has
   *   changed
   */
  appendFrom(parcel: Parcel, offset: number, length: number): void {
    const data = Buffer.from(range(parcel, offset, length))
    const objects = bufferOf(parcel).objects.writtenWithin(offset, offset + length)
    const relative = objects.map((object) => ({ ...object, offset: object.offset - offset }))
    appendBytes(bufferOf(this), data, relative)
  }

  /**
   * Whether the range contains complete descriptors.
   * @throws ERR_OUT_OF_RANGE outside the parcel.
   */
  hasFileDescriptors(offset = 0, length?: number): boolean {
    return objectsIn(this, offset, length).some(({ kind }) => kind === 'fd')
  }

  /**
   * Whether the range contains complete binders that are not null.
   * @throws ERR_OUT_OF_RANGE outside the parcel.
   */
  hasBinders(offset = 0, length?: number): boolean {
    return objectsIn(this, offset, length).some(({ kind }) => kind !== 'fd')
  }

  /** The total size in bytes of the regions whose descriptors the parcel owns. */
  getOpenAshmemSize(): number {
    const sizes = bufferOf(this).objects.entries.map((object) =>
      object.kind === 'fd' ? regionSize(descriptorOf(object)) : 0,
    )
    return sizes.reduce((total, size) => total + Math.max(size, 0), 0)
  }

  /**
   * Writes a duplicate, which the parcel owns; `fd` stays yours. It takes 24 bytes.
   * @throws EBADF if it is closed; EMFILE
   */
  writeFileDescriptor(fd: FileDescriptor): void {
    const buffer = bufferOf(this)
    writeObject(buffer, { kind: 'fd', fd: duplicateFd(fd) })
  }

  /**
   * Reads a descriptor as a duplicate, which you own; null if none begins at the position. The position moves by 24 in
   * both cases.
   */
  readFileDescriptor(): ParcelFileDescriptor | null {
    const object = readObject(bufferOf(this))
    return object?.kind === 'fd' ? own(dup(descriptorOf(object))) : null
  }

  /** As writeFileDescriptor, but the descriptor itself, which the parcel owns from here on. @internal */
  writeOwnedFd(fd: OwnedFd): void {
    const buffer = bufferOf(this)
    if (!(fd instanceof OwnedFd)) throw wrongType('fd', 'an OwnedFd', fd)
    writeObject(buffer, { kind: 'fd', fd })
  }

  /** A duplicate, the caller's own. @throws ERR_BAD_PARCEL when no descriptor begins at the position @internal */
  readOwnedFd(): OwnedFd {
    return dup(descriptorOf(nextDescriptor(this)))
  }

  /** Like readOwnedFd, but takes the descriptor itself out of the parcel. The caller owns it. @internal */
  takeOwnedFd(): OwnedFd {
    return takeDescriptor(nextDescriptor(this))
  }

  /** 24 bytes. */
  writeStrongBinder(binder: IBinder | null): void {
    checkBinderOrNull('binder', binder)
    const buffer = bufferOf(this)
    if (binder === null) writeNullObject(buffer)
    else writeObject(buffer, { kind: 'binder', binder })
  }

  /**
   * Reads a binder: the one that was written, or a proxy for it; null also if none begins at the position. The position
   * moves by 24 in both cases. The proxy is made now. Binders that you do not read are released when the parcel is
   * recycled or collected. If the process of the binder is gone, the proxy is dead.
   */
  readStrongBinder(): IBinder | null {
    const buffer = bufferOf(this)
    const object = readObject(buffer)
    const binder = object === undefined ? null : buffer.objects.binderOf(object)
    return binder as IBinder | null // only binders are ever written
  }

  /** Takes 4 bytes, and 24 for each element. */
  writeBinderArray(binders: readonly (IBinder | null)[] | null): void {
    this.writeList(binders, checkBinderOrNull, (binder) => this.writeStrongBinder(binder))
  }

  /** Reads an array, each element as {@link readStrongBinder} does. */
  readBinderArray(): (IBinder | null)[] | null {
    return this.readList(OBJECT_BYTES, () => this.readStrongBinder())
  }

  /** Writes the binder of the interface. */
  writeStrongInterface(iface: IInterface | null): void {
    checkInterfaceOrNull('iface', iface)
    this.writeStrongBinder(iface === null ? null : iface.asBinder())
  }

  /** Takes 4 bytes, and 24 for each element. */
  writeInterfaceArray(interfaces: readonly (IInterface | null)[] | null): void {
    this.writeList(interfaces, checkInterfaceOrNull, (iface) => this.writeStrongInterface(iface))
  }

  /** @param asInterface of the interface, for example `IMemoryService.asInterface` */
  readInterfaceArray<T>(asInterface: (binder: IBinder | null) => T | null): (T | null)[] | null {
    checkFunction('asInterface', asInterface)
    return this.readList(OBJECT_BYTES, () => asInterface(this.readStrongBinder()))
  }

  /**
   * Writes 0 for null, or 1 and the value.
   * @param flags passed on to writeToParcel: PARCELABLE_WRITE_RETURN_VALUE or 0
   */
  writeTypedObject(value: Parcelable | null, flags: number): void {
    checkParcelableOrNull('value', value)
    this.writeInt(value === null ? 0 : 1)
    value?.writeToParcel(this, flags)
  }

  /** Reads a value with `creator`, or null. */
  readTypedObject<T>(creator: Creator<T>): T | null {
    checkCreator(creator)
    return this.readInt() === 0 ? null : creator.createFromParcel(this)
  }

  /** Writes 4 bytes, and each element as {@link writeTypedObject} does. */
  writeTypedArray(values: readonly (Parcelable | null)[] | null, flags: number): void {
    this.writeList(values, checkParcelableOrNull, (value) => this.writeTypedObject(value, flags))
  }

  /** Reads an array, each element as {@link readTypedObject} does. */
  readTypedArray<T>(creator: Creator<T>): (T | null)[] | null {
    checkCreator(creator)
    return this.readList(4, () => this.readTypedObject(creator))
  }

  /**
   * Writes any number of bytes. More than 16 KiB go into a sealed region, and the parcel gets its descriptor instead,
   * unless the parcel was obtained for a binder that accepts no descriptors.
   * @throws ENOMEM, EMFILE if no region can be made
   */
  writeBlob(bytes: Uint8Array | null): void {
    if (bytes !== null) checkBytes('bytes', bytes)
    writeBlob(bufferOf(this), bytes, this.#inlineBlobs)
  }

  /**
   * Reads bytes as a copy.
   * @throws ERR_NOT_A_REGION or ERR_UNSAFE_REGION if the descriptor is not of a sealed region with that many bytes
   */
  readBlob(): Buffer | null {
    return readBlob(bufferOf(this))
  }

  /** Writes the name of the interface that a request calls. Every request begins with it. */
  writeInterfaceToken(name: string): void {
    checkString('name', name)
    bufferOf(this).writeWords(interfaceToken(name))
  }

  /**
   * Reads what {@link writeInterfaceToken} wrote.
   * @throws ERR_SECURITY if it is the name of another interface, or none
   */
  enforceInterface(name: string): void {
    checkString('name', name)
    const buffer = bufferOf(this)
    if (readInterfaceToken(buffer, name)) return
    throw buffer.complaint(SecurityError, `Binder invocation to an incorrect interface, not ${name}`)
  }

  /** Writes that the call succeeded. The reply begins with it, and the result follows. */
  writeNoException(): void {
    writeNoException(this)
  }

  /**
   * Writes an error in place of a result. Only its `code` counts (and `errorCode` for ERR_SERVICE_SPECIFIC), not its
   * class: ERR_SECURITY, ERR_BAD_PARCEL, ERR_INVALID_ARG_VALUE, ERR_NULL_POINTER, ERR_ILLEGAL_STATE,
   * ERR_UNSUPPORTED_OPERATION or ERR_SERVICE_SPECIFIC. ERR_INVALID_ARG_TYPE is written as ERR_INVALID_ARG_VALUE, and
   * ERR_READ_ONLY as ERR_UNSUPPORTED_OPERATION.
   * @throws `error` itself if it has another code, or none; then nothing is written
   */
  writeException(error: unknown): void {
    writeException(this, error)
  }

  /**
   * Reads what {@link writeNoException} or {@link writeException} wrote.
   * @throws the error that was written, with its code and message; ERR_REMOTE_ERROR if it has no code here
   */
  readException(): void {
    readException(this)
  }

  #beginWait(): void {
    if (this.#waits === 0) {
      this.#awaited = bufferOf(this)
      this.#buffer = null
    }
    this.#waits += 1
  }

  #endWait(): void {
    this.#waits -= 1
    if (this.#waits > 0) return
    this.#buffer = this.#awaited
    this.#awaited = null
  }

  #recycle(): void {
    const buffer = this.#buffer ?? this.#awaited
    buffer?.recycle()
    this.#buffer = null
    this.#awaited = null
  }

  #closed(): never {
    if (this.#awaited === null) throw new ClosedError('the parcel has been recycled')
    throw new IllegalStateError('the reply has not come yet: await transact first')
  }
}

/** In bytes; undefined after `recycle()`. */
function sizeOf(parcel: Parcel): number | undefined {
  try {
    return bufferOf(parcel).size
  } catch {
    return undefined
  }
}

/** A view of a part of a parcel. */
function range(parcel: Parcel, offset: number, length: number): Buffer {
  checkNotNull('parcel', parcel)
  if (!(parcel instanceof Parcel)) throw new InvalidArgTypeError(`parcel must be a Parcel, got ${show(parcel)}`)
  const buffer = bufferOf(parcel)
  checkRange('offset', offset, length, buffer.size)
  return buffer.view(offset + length).subarray(offset)
}

function nextDescriptor(parcel: Parcel): DescriptorContents {
  const buffer = bufferOf(parcel)
  const object = readObject(buffer)
  if (object?.kind === 'fd') return object
  throw buffer.complaint(BadParcelError, 'the parcel has no descriptor at this position')
}

function objectsIn(parcel: Parcel, offset: number, count?: number): ParcelObject[] {
  const buffer = bufferOf(parcel)
  checkNumber('offset', offset)
  const length = count === undefined ? buffer.size - offset : count
  checkNumber('length', length)
  checkRange('offset', offset, length, buffer.size)
  return buffer.objects.within(offset, offset + length)
}
