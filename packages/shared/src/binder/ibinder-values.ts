/** Android's constants where its programs look for them: on the interfaces, which are types here. */
import { CONTENTS_FILE_DESCRIPTOR, PARCELABLE_WRITE_RETURN_VALUE } from '../os/parcel-port.ts'
import type { IBinder as Contract } from '../parcel/ibinder.ts'
import type { Parcelable as ParcelableContract } from '../parcel/parcelable.ts'
import * as codes from './transaction-codes.ts'

/**
 * An object that can be called, also from another process: a local `Binder`, or the `BinderProxy` of one elsewhere
 * (android.os.IBinder).
 */
export type IBinder = Contract

/** The constants of android.os.IBinder. */
export const IBinder = Object.freeze({
  /** The first code that is free for methods: 1. */
  FIRST_CALL_TRANSACTION: codes.FIRST_CALL_TRANSACTION,
  /** The last code that is free for methods: 16,777,215. */
  LAST_CALL_TRANSACTION: codes.LAST_CALL_TRANSACTION,
  /** Asks whether the object answers; every object of another process does (`_PNG`). */
  PING_TRANSACTION: codes.PING_TRANSACTION,
  /** Asks for the name of the interface (`_NTF`). */
  INTERFACE_TRANSACTION: codes.INTERFACE_TRANSACTION,
  /** Asks for Android's debugging output. It is unknown here unless an object serves it (`_DMP`). */
  DUMP_TRANSACTION: codes.DUMP_TRANSACTION,
  /** The caller does not wait, and does not learn the result. */
  FLAG_ONEWAY: codes.FLAG_ONEWAY,
  /** The data is secret. The flag is accepted, but has no effect here. */
  FLAG_CLEAR_BUF: codes.FLAG_CLEAR_BUF,
})

/** An object that can be written into a parcel and read back (android.os.Parcelable). */
export type Parcelable = ParcelableContract

/** The constants of android.os.Parcelable. */
export const Parcelable = Object.freeze({
  /** Of `describeContents`: there is a descriptor in it. */
  CONTENTS_FILE_DESCRIPTOR,
  /** Of `writeToParcel`: the object is a result, and is closed once it is written. */
  PARCELABLE_WRITE_RETURN_VALUE,
})
