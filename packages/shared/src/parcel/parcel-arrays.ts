/** Arrays in a parcel: a length, and that many values as `ParcelValues` has them. null is the length -1. */
import { checkBoolean, checkInt32, checkLong, checkNumber, show } from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'
import { isTypedArray } from '../util/realm.ts'
import { bufferOf, checkStringOrNull, ParcelValues } from './parcel-values.ts'

/** Adds arrays. A reader answers null for an array that was null, or past the end. */
export abstract class ParcelArrays extends ParcelValues {
  /** 4 bytes and 4 for each element. */
  writeBooleanArray(values: readonly boolean[] | null): void {
    this.writeList(values, checkBoolean, (value) => this.writeBoolean(value))
  }

  /** Each element as {@link readBoolean}. */
  readBooleanArray(): boolean[] | null {
    return this.readList(4, () => this.readBoolean())
  }

  /** 4 bytes and 4 for each element, as {@link writeInt}. */
  writeIntArray(values: ArrayLike<number> | null): void {
    this.writeList(values, checkInt32, (value) => this.writeInt(value))
  }

  /** Each element as {@link readInt}. */
  readIntArray(): number[] | null {
    return this.readList(4, () => this.readInt())
  }

  /** 4 bytes and 8 for each element, as {@link writeLong}. */
  writeLongArray(values: ArrayLike<bigint> | null): void {
    this.writeList(values, checkLong, (value) => this.writeLong(value))
  }

  /** Each element as {@link readLong}. */
  readLongArray(): bigint[] | null {
    return this.readList(8, () => this.readLong())
  }

  /** 4 bytes and 4 for each element, as {@link writeFloat}. */
  writeFloatArray(values: ArrayLike<number> | null): void {
    this.writeList(values, checkNumber, (value) => this.writeFloat(value))
  }

  /** Each element as {@link readFloat}. */
  readFloatArray(): number[] | null {
    return this.readList(4, () => this.readFloat())
  }

  /** 4 bytes and 8 for each element. */
  writeDoubleArray(values: ArrayLike<number> | null): void {
    this.writeList(values, checkNumber, (value) => this.writeDouble(value))
  }

  /** Each element as {@link readDouble}. */
  readDoubleArray(): number[] | null {
    return this.readList(8, () => this.readDouble())
  }

  /** 4 bytes and each element as {@link writeString}. */
  writeStringArray(values: readonly (string | null)[] | null): void {
    this.writeList(values, checkStringOrNull, (value) => this.writeString(value))
  }

  /** Each element as {@link readString}. */
  readStringArray(): (string | null)[] | null {
    return this.readList(4, () => this.readString())
  }

  /** Any array: its length, then its elements. All are checked before the first is written. */
  protected writeList<T>(
    values: ArrayLike<T> | null,
    check: (name: string, value: T) => void,
    write: (value: T) => void,
  ): void {
    if (values === null) {
      this.writeInt(-1)
      return
    }
    checkList('values', values)
    for (let i = 0; i < values.length; i++) check('each of values', values[i] as T)
    this.writeInt(values.length)
    for (let i = 0; i < values.length; i++) write(values[i] as T)
  }

  /** @param elementBytes the least that one element takes. */
  protected readList<T>(elementBytes: number, read: () => T): T[] | null {
    const length = bufferOf(this).readLength(elementBytes)
    if (length < 0) return null
    const values: T[] = []
    for (let i = 0; i < length; i++) values.push(read())
    return values
  }
}

function checkList(name: string, value: unknown): void {
  if (Array.isArray(value) || isTypedArray(value)) return
  throw new InvalidArgTypeError(`${name} must be an array, got ${show(value)}`)
}
