/** How large an area is, and the errors that say that it is too small. */
import { type AreaStats, areaWriteCodes } from 'memfd-native'
import { errorCode, LimitError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { STORE_LIMITS } from './limits.ts'

/** What a key and its value are expected to take. */
const BYTES_PER_KEY = 1024
/** The place of a key, used or not. */
const ENTRY_BYTES = 64
/** The header, the shortest change log, and some room for values. */
const LEAST_BYTES = 16 * 1024

/** How large an area is. */
export interface AreaSize {
  readonly capacity: number
  readonly maxKeys: number
}

/** Keys of an area about whose number nothing is said: so that it is enough to say a capacity that is small. */
export function keysFor(capacity: number): number {
  return Math.max(1, Math.min(STORE_LIMITS.keys.limit, Math.floor(capacity / BYTES_PER_KEY)))
}

/** Bytes that an area with room for so many keys has at least. */
export function leastCapacity(maxKeys: number): number {
  return LEAST_BYTES + maxKeys * ENTRY_BYTES
}

/** What did not fit. */
export interface Misfit {
  /** Of `areaWriteCodes`. */
  readonly code: number
  readonly bytes: number
  /** Of the area it was to go to. */
  readonly size: AreaSize
  /** Of the area the values are in. */
  readonly stats: AreaStats
}

export function misfitError({ code, bytes, size, stats }: Misfit): Error {
  if (code === areaWriteCodes.FULL) {
    const used = stats.capacity - stats.heapBytes + stats.usedBytes
    return new LimitError(STORE_LIMITS.capacity.name, size.capacity, used + bytes)
  }
  if (code === areaWriteCodes.TOO_MANY_KEYS || code === areaWriteCodes.TOO_MANY_ALIKE) {
    return new LimitError(STORE_LIMITS.keys.name, size.maxKeys, stats.keys)
  }
  if (code === areaWriteCodes.TOO_LARGE) return limitError(STORE_LIMITS.valueBytes, bytes)
  return new Error(`the store cannot write its area: ${code}`)
}

/** The machine has no memory or descriptor for another area, or the values do not fit into it. */
export function isNoRoom(error: unknown): boolean {
  return ['ENOMEM', 'ENOSPC', 'EMFILE', 'ENFILE', 'ERR_LIMIT'].includes(errorCode(error) ?? '')
}
