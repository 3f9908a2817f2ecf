/** How the values of an interface's methods stand in a parcel: one object per type, written and read by the same table. */

import { type ParcelFileDescriptor, takeFromParcel } from '../os/parcel-file-descriptor.ts'
import { PARCELABLE_WRITE_RETURN_VALUE } from '../os/parcel-port.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import type { Parcelable } from '../parcel/parcelable.ts'
import { show } from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'

/** A type that a method can take or return: how its values are written to a parcel and read from it. */
export interface ParcelType<T> {
  /**
   * Writes the value at the position of the parcel. Descriptors of the value stay open.
   * @throws as the writer of that type
   */
  write(parcel: Parcel, value: T): void
  /** Like write, but for the result of a call: descriptors of the value are closed afterwards. */
  writeResult(parcel: Parcel, value: T): void
  /**
   * Reads what `write` wrote. Descriptors in the value belong to you.
   * @throws as the reader of that type
   */
  read(parcel: Parcel): T
}

const ours = new WeakSet<object>()

/** For types whose readers are this library's: those of a user run in the context of the call, and their errors have stacks. */
export function ourType<T extends object>(type: T): T {
  ours.add(type)
  return type
}

/** Whether it runs nothing of the user's. */
export function isOurType(type: ParcelType<unknown>): boolean {
  return ours.has(type)
}

function plain<T>(write: (parcel: Parcel, value: T) => void, read: (parcel: Parcel) => T): ParcelType<T> {
  return { write, writeResult: write, read }
}

function parcelable<T extends Parcelable>(creator: { createFromParcel(parcel: Parcel): T }): ParcelType<T> {
  return {
    write: (parcel, value) => value.writeToParcel(parcel, 0),
    writeResult: (parcel, value) => value.writeToParcel(parcel, PARCELABLE_WRITE_RETURN_VALUE),
    read: (parcel) => creator.createFromParcel(parcel),
  }
}

/** The same, or null: an int 0 or 1 comes first. */
function nullable<T>(type: ParcelType<T>): ParcelType<T | null> {
  const present = (parcel: Parcel, value: T | null): value is T => {
    parcel.writeInt(value === null ? 0 : 1)
    return value !== null
  }
  const result: ParcelType<T | null> = {
    write: (parcel, value) => {
      if (present(parcel, value)) type.write(parcel, value)
    },
    writeResult: (parcel, value) => {
      if (present(parcel, value)) type.writeResult(parcel, value)
    },
    read: (parcel) => (parcel.readInt() === 0 ? null : type.read(parcel)),
  }
  return ours.has(type) ? ourType(result) : result
}

const boolean = plain<boolean>(
  (parcel, value) => {
    if (typeof value !== 'boolean') throw new InvalidArgTypeError(`expected a boolean, got ${show(value)}`)
    parcel.writeBoolean(value)
  },
  (parcel) => parcel.readBoolean(),
)

/** The types that methods of an interface can take and return. */
export const types = Object.freeze({
  /** -2147483648 to 2147483647 */
  int: plain<number>(
    (parcel, value) => parcel.writeInt(value),
    (parcel) => parcel.readInt(),
  ),
  /** a bigint of 64 bits, signed */
  long: plain<bigint>(
    (parcel, value) => parcel.writeLong(value),
    (parcel) => parcel.readLong(),
  ),
  /** rounded to single precision */
  float: plain<number>(
    (parcel, value) => parcel.writeFloat(value),
    (parcel) => parcel.readFloat(),
  ),
  /** any number */
  double: plain<number>(
    (parcel, value) => parcel.writeDouble(value),
    (parcel) => parcel.readDouble(),
  ),
  /** true or false, nothing else */
  boolean,
  /** null is a value of it */
  string: plain<string | null>(
    (parcel, value) => parcel.writeString(value),
    (parcel) => parcel.readString(),
  ),
  /** null is a value of it, and of its elements */
  stringArray: plain<(string | null)[] | null>(
    (parcel, value) => parcel.writeStringArray(value),
    (parcel) => parcel.readStringArray(),
  ),
  /** a copy for the receiver; null is a value of it */
  byteArray: plain<Uint8Array | null>(
    (parcel, value) => parcel.writeByteArray(value),
    (parcel) => parcel.readByteArray(),
  ),
  /** like byteArray, but more than 16 KiB go into a region */
  blob: plain<Uint8Array | null>(
    (parcel, value) => parcel.writeBlob(value),
    (parcel) => parcel.readBlob(),
  ),
  /** an object that the receiver may call; null is a value of it */
  binder: plain<IBinder | null>(
    (parcel, value) => parcel.writeStrongBinder(value),
    (parcel) => parcel.readStrongBinder(),
  ),
  /** the receiver owns what it gets; as a result it is closed on the sender's side once written */
  parcelFileDescriptor: parcelable<ParcelFileDescriptor>({ createFromParcel: takeFromParcel }),
  /** of a Parcelable class: `types.parcelable(SharedMemory.CREATOR)` */
  parcelable,
  /** the same type, or null: `types.nullable(types.parcelFileDescriptor)` */
  nullable,
})
for (const type of Object.values(types)) ourType(type)
