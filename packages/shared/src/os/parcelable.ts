/** What can be written into a parcel and read back (android.os.Parcelable). */
import type { Parcel } from '../parcel/parcel.ts'

/** Flag of `writeToParcel`: the value is a function's return value, the writer keeps nothing and may close it. */
export const PARCELABLE_WRITE_RETURN_VALUE = 1

/** Answer of `describeContents`: a descriptor is among the contents. */
export const CONTENTS_FILE_DESCRIPTOR = 1

/** A class whose values can travel. Its static `CREATOR` reads them back. */
export interface Parcelable {
  /** A bit mask of what is special about the contents: {@link CONTENTS_FILE_DESCRIPTOR} or 0. */
  describeContents(): number
  /** @param flags {@link PARCELABLE_WRITE_RETURN_VALUE} or 0. */
  writeToParcel(parcel: Parcel, flags: number): void
}

/** The static `CREATOR` of a Parcelable class (android.os.Parcelable.Creator). */
export interface Creator<T> {
  /** Reads what `writeToParcel` wrote, at the parcel's position. */
  createFromParcel(parcel: Parcel): T
}
