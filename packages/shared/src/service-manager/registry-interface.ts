/** The interfaces of the registry and of its clients' callbacks, as tables: docs/protocol.md, section 6. */
import type { OwnedFd } from 'memfd-native'
import { defineInterface } from '../binder/interface.ts'
import { ourType, type ParcelType, types } from '../binder/parcel-types.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { BadParcelError } from '../util/errors.ts'

/** Android's dump priorities: a service has one or more, a list asks for some. */
export const DUMP_PRIORITY_DEFAULT = 8
export const DUMP_PRIORITY_ALL = 15

/** What the registry knows about a service. */
export interface ServiceInfo {
  /** The process id of the process that holds the name; 0 if it is in another pid namespace. */
  readonly pid: number
  /** The user id of that process. */
  readonly uid: number
  /** The priority with which it was added: CRITICAL 1, HIGH 2, NORMAL 4, DEFAULT 8, or a sum of them. */
  readonly dumpPriority: number
}

/** The registry's answer to a search: nothing, the caller's own binder, or the client's end of a new channel. */
export type FoundService =
  | { readonly kind: 'none' }
  | { readonly kind: 'own'; readonly binder: IBinder | null }
  | {
      readonly kind: 'channel'
      readonly acceptsFileDescriptors: boolean
      readonly pid: number
      readonly uid: number
      /** Owned by who reads it; as a result, given away when written. */
      readonly end: OwnedFd
    }

const KINDS = ['none', 'own', 'channel'] as const

function writeFound(parcel: Parcel, found: FoundService): void {
  parcel.writeInt(KINDS.indexOf(found.kind))
  if (found.kind === 'own') parcel.writeStrongBinder(found.binder)
  if (found.kind !== 'channel') return
  parcel.writeInt(found.acceptsFileDescriptors ? 1 : 0)
  parcel.writeInt(found.pid)
  parcel.writeInt(found.uid | 0)
  parcel.writeOwnedFd(found.end)
}

function readFound(parcel: Parcel): FoundService {
  const kind = KINDS[parcel.readInt()]
  if (kind === undefined) throw new BadParcelError('a service of an unknown kind')
  if (kind === 'none') return { kind }
  if (kind === 'own') return { kind, binder: parcel.readStrongBinder() }
  const acceptsFileDescriptors = parcel.readInt() === 1
  const pid = parcel.readInt()
  const uid = parcel.readInt() >>> 0
  return { kind, acceptsFileDescriptors, pid, uid, end: parcel.takeOwnedFd() }
}

const foundService: ParcelType<FoundService> = ourType({ write: writeFound, writeResult: writeFound, read: readFound })

function writeInfo(parcel: Parcel, info: ServiceInfo): void {
  parcel.writeInt(info.pid)
  parcel.writeInt(info.uid | 0)
  parcel.writeInt(info.dumpPriority)
}

const serviceInfo: ParcelType<ServiceInfo> = ourType({
  write: writeInfo,
  writeResult: writeInfo,
  read: (parcel: Parcel) => ({ pid: parcel.readInt(), uid: parcel.readInt() >>> 0, dumpPriority: parcel.readInt() }),
})

export const IServiceManager = defineInterface('memsvc.IServiceManager', {
  getService: { code: 1, args: [types.string], returns: foundService },
  checkService: { code: 2, args: [types.string], returns: foundService },
  /** name, binder, whether it accepts descriptors, dump priority */
  addService: { code: 3, args: [types.string, types.binder, types.boolean, types.int] },
  listServices: { code: 4, args: [types.int], returns: types.stringArray },
  registerForNotifications: { code: 5, args: [types.string, types.binder] },
  unregisterForNotifications: { code: 6, args: [types.string, types.binder] },
  getServiceInfo: { code: 1001, args: [types.string], returns: types.nullable(serviceInfo) },
  /** As the registry knows the caller. */
  getCallerUid: { code: 1002, args: [], returns: types.int },
})

/** What a notification callback hears. */
export const IServiceCallback = defineInterface('memsvc.IServiceCallback', {
  onRegistration: { code: 1, args: [types.string], oneway: true },
})
