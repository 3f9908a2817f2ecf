/** Reads a key of a store in the usual case, without the library. If it gives up, the caller uses SharedStore. */
import { Buffer } from 'node:buffer'
import { AreaReader, areaStates, type OwnedFd } from 'memfd-native'
import { type Question, type QuickAddress, tryAsk } from '../service-manager/quick-call.ts'
import { replicaStates } from './replica-words.ts'

/** One area for all keys, a ParcelFileDescriptor without a status channel. */
const ONE_AREA = [1, 1, 1, '*'.charCodeAt(0), 0]
const OPEN: Question = { code: 1, token: 'memsvc.IStore', args: [null], answer: [0, ...ONE_AREA] }

/** Longer values are not read so. */
const MAX_BYTES = 64 * 1024

/** A value as it is stored. */
export interface RawValue {
  /** `areaTypes` */
  readonly type: number
  readonly version: bigint
  readonly bytes: Buffer
  /** Of values elsewhere. */
  readonly isCopy: boolean
}

/** The value of a key. @returns null: declined, also where there is none. Nothing is left open then either. Never throws */
export function tryReadKey(address: QuickAddress, key: string): Promise<RawValue | null> {
  return tryAsk(address, OPEN, (area) => read(area, key))
}

function read(area: OwnedFd, name: string): RawValue | null {
  const reader = AreaReader.attach(area)
  const key = reader.key(name)
  const bytes = Buffer.alloc(MAX_BYTES)
  const count = key.read(bytes)
  const { type, version, byteLength, state } = key
  const isCopy = reader.header.replicaState !== replicaStates.NONE
  reader.close()
  if (count !== byteLength || state !== areaStates.LIVE) return null
  return { type, version, bytes: bytes.subarray(0, count), isCopy }
}
