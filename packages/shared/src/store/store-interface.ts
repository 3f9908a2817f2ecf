/** memsvc.IStore, the calls to the owner of a store (docs/protocol.md, section 10). Values are read from its areas, never by a call. */
import { defineInterface } from '../binder/interface.ts'
import { ourType, type ParcelType, types } from '../binder/parcel-types.ts'
import type { ParcelFileDescriptor } from '../os/parcel-file-descriptor.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { lendByteArray } from '../parcel/parcel-objects.ts'
import { checkObject, show } from '../util/check.ts'
import { BadParcelError, InvalidArgTypeError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { STORE_LIMITS } from './limits.ts'

/** No version is asked for. */
export const ANY_VERSION = -1n
/** It does not end. */
export const NO_TTL = 0
const LONG_BYTES = 8

/** An area as it is handed out. */
export interface HandedArea {
  readonly patterns: readonly string[]
  /** Read-only, the receiver's. */
  readonly descriptor: ParcelFileDescriptor
}

/** What came of a change. */
export interface Outcome {
  /** A version that was asked for is not the present one: nothing has happened. */
  readonly isConflict: boolean
  /** The version that was given, 0n: nothing was to be changed; in a conflict the present one. */
  readonly version: bigint
  /** In a conflict: of which edit, from 0. */
  readonly edit: number
  /** In a conflict of a store that is a copy: which revision of its origin wrote the present value; 0n, or absent: none. */
  readonly revision?: bigint
}

/** For a copy: a version here, and the revision of the origin that wrote it. */
export interface OriginRevision {
  /** 0n: there is none. */
  readonly version: bigint
  readonly revision: bigint
}

/** One change of several. */
export interface WireEdit {
  readonly key: string
  /** `areaTypes`; DELETED: `bytes` is null */
  readonly type: number
  readonly bytes: Uint8Array | null
  readonly ifVersion: bigint
}

/** Not to be kept: the bytes are the parcel's, and gone with it. */
const borrowedBytes = plain<Uint8Array | null>(
  (parcel, value) => parcel.writeByteArray(value),
  (parcel) => parcel.viewByteArray(),
)

/** The last argument. It is sent without a copy if that pays off, and received as `borrowedBytes`. */
const lentBytes = plain<Uint8Array | null>(
  (parcel, value) => (value === null ? parcel.writeByteArray(null) : lendByteArray(parcel, value)),
  (parcel) => parcel.viewByteArray(),
)

const outcome = plain<Outcome>(
  (parcel, { isConflict, version, edit, revision = 0n }) => {
    parcel.writeInt(isConflict ? 1 : 0)
    parcel.writeLong(version)
    parcel.writeInt(edit)
    if (revision > 0n) parcel.writeLong(revision)
  },
  (parcel) => {
    const found = { isConflict: parcel.readInt() !== 0, version: parcel.readLong(), edit: parcel.readInt() }
    return found.isConflict && parcel.dataAvail() >= LONG_BYTES ? { ...found, revision: parcel.readLong() } : found
  },
)

const originRevision = plain<OriginRevision>(
  (parcel, { version, revision }) => {
    parcel.writeLong(version)
    parcel.writeLong(revision)
  },
  (parcel) => ({ version: parcel.readLong(), revision: parcel.readLong() }),
)

const edits = plain<readonly WireEdit[]>(
  (parcel, values) => {
    checkList('edits', values)
    parcel.writeInt(values.length)
    for (const { key, type, bytes, ifVersion } of values) {
      parcel.writeString(key)
      parcel.writeInt(type)
      parcel.writeByteArray(bytes)
      parcel.writeLong(ifVersion)
    }
  },
  (parcel) => readEdits(parcel),
)

/** Null: this object gives none. */
const areas: ParcelType<readonly HandedArea[]> = ourType({
  write: (parcel: Parcel, value: readonly HandedArea[]) => writeAreas(parcel, value, types.parcelFileDescriptor.write),
  writeResult: (parcel: Parcel, value: readonly HandedArea[]) =>
    writeAreas(parcel, value, types.parcelFileDescriptor.writeResult),
  read: (parcel: Parcel) => readList(parcel, MIN_AREA_BYTES, readArea),
})

/** The least that one takes in a parcel. */
const MIN_EDIT_BYTES = 20
/** No store allows so many, whatever its limit is: reading 40,000 of them would take time from other users. */
const MOST_EDITS = 4096
const MIN_AREA_BYTES = 32

/** The interface of a store. All clients use the same binder, and the store checks the rights for each key. */
export const IStore = defineInterface('memsvc.IStore', {
  /** The areas that the caller may read. @param listener told when there are others; null: nobody */
  open: { code: 1, args: [types.binder], returns: areas },
  /** @throws ERR_SECURITY, ERR_LIMIT, ERR_INVALID_ARG_VALUE */
  set: { code: 2, args: [types.string, types.int, borrowedBytes, types.long, types.double], returns: outcome },
  /** Version 0n: there was nothing. @throws ERR_SECURITY */
  delete: { code: 3, args: [types.string, types.long], returns: outcome },
  /** All or none. @throws ERR_UNSUPPORTED_OPERATION several areas; as set */
  update: { code: 4, args: [edits], returns: outcome },
  /**
   * @returns the sum
   * @throws as set; ERR_INVALID_ARG_VALUE if the value is not a number
   */
  increment: { code: 5, args: [types.string, types.double, types.double], returns: types.double },
  /** A value will come in parts. @returns its number. @throws as set */
  begin: { code: 6, args: [types.binder, types.string, types.int, types.long], returns: types.int },
  /** A part of it. @throws ERR_ILLEGAL_STATE no such upload; ERR_INVALID_ARG_VALUE outside of the value */
  part: { code: 7, args: [types.int, types.long, lentBytes] },
  /** All parts have come: it is the value from now on. @throws as set; ERR_ILLEGAL_STATE some are missing, and it stays open. A conflict ends it */
  commit: { code: 8, args: [types.int, types.long, types.double], returns: outcome },
  /** It will not come. */
  abort: { code: 9, args: [types.int] },
  /** As begin, with a number that the caller has chosen: negative, and no other upload's. @throws as begin; ERR_INVALID_ARG_VALUE */
  beginAs: { code: 10, args: [types.binder, types.string, types.int, types.long, types.int] },
  /**
   * Registers the callback (memsvc.IWatcher) for changes of keys with this prefix.
   * @throws ERR_LIMIT
   */
  watch: { code: 1001, args: [types.binder, types.string] },
  unwatch: { code: 1002, args: [types.binder] },
  /** The watcher has heard its notice: before it looks. */
  acknowledge: { code: 1003, args: [types.binder], oneway: true },
  /** @throws ERR_UNSUPPORTED_OPERATION if the store is not a copy; ERR_SECURITY if the caller may not read the key */
  origin: { code: 1004, args: [types.string], returns: originRevision },
})

/** The callback of a client that has opened a store. */
export const IStoreListener = defineInterface('memsvc.IStoreListener', {
  /** The values are in these areas now, and nothing was written to them yet. */
  onAreas: { code: 1, args: [areas], oneway: true },
})

function plain<T>(write: (parcel: Parcel, value: T) => void, read: (parcel: Parcel) => T): ParcelType<T> {
  return ourType({ write, writeResult: write, read })
}

function readList<T>(parcel: Parcel, least: number, read: (parcel: Parcel) => T): T[] {
  const count = parcel.readInt()
  if (count < 0 || count > parcel.dataAvail() / least)
    throw new BadParcelError(`a list of ${count} elements does not fit in the parcel`)
  return Array.from({ length: count }, () => read(parcel))
}

/** Far too many are refused before they are read. */
function readEdits(parcel: Parcel): WireEdit[] {
  const start = parcel.dataPosition()
  const count = parcel.readInt()
  if (count > MOST_EDITS) throw withoutStack(() => limitError(STORE_LIMITS.edits, count))
  parcel.setDataPosition(start)
  return readList(parcel, MIN_EDIT_BYTES, readEdit)
}

function readEdit(parcel: Parcel): WireEdit {
  const key = parcel.readString()
  const type = parcel.readInt()
  const bytes = parcel.viewByteArray()
  const ifVersion = parcel.readLong()
  if (key === null) throw new BadParcelError('an edit has no key')
  return { key, type, bytes, ifVersion }
}

function writeAreas(
  parcel: Parcel,
  values: readonly HandedArea[],
  write: (parcel: Parcel, descriptor: ParcelFileDescriptor) => void,
): void {
  checkList('areas', values)
  parcel.writeInt(values.length)
  for (const { patterns, descriptor } of values) {
    parcel.writeStringArray(patterns)
    write(parcel, descriptor)
  }
}

/** @throws ERR_INVALID_ARG_TYPE no array of objects */
function checkList(name: string, values: readonly unknown[]): void {
  if (!Array.isArray(values)) throw new InvalidArgTypeError(`${name} must be an array, got ${show(values)}`)
  for (const each of values) checkObject(`each of ${name}`, each)
}

function readArea(parcel: Parcel): HandedArea {
  const patterns = parcel.readStringArray()
  if (patterns === null) throw new BadParcelError('an area has no patterns')
  return { patterns: patterns.map((pattern) => pattern ?? ''), descriptor: types.parcelFileDescriptor.read(parcel) }
}
