/** An object that can be written into a parcel and read back (android.os.Parcelable). */
import type { Parcel } from './parcel.ts'

/** A class whose values can travel. Its static `CREATOR` reads them back. */
export interface Parcelable {
  /** A bit mask of what is special about the contents: `CONTENTS_FILE_DESCRIPTOR` or 0. */
  describeContents(): number
  /** @param flags `PARCELABLE_WRITE_RETURN_VALUE` or 0. */
  writeToParcel(parcel: Parcel, flags: number): void
}

/** The static `CREATOR` of a Parcelable class (android.os.Parcelable.Creator). */
export interface Creator<T> {
  /** Reads what `writeToParcel` wrote, at the parcel's position. */
  createFromParcel(parcel: Parcel): T
}
