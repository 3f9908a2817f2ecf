/** The limits of a store, as data. A call that reaches one fails with ERR_LIMIT, whose `resource` is the limit's name, and has no effect. */
import type { Limit } from '../util/limit.ts'

const MIB = 1024 * 1024

export const STORE_LIMITS = {
  capacity: {
    name: 'bytes of an area',
    limit: 64 * MIB,
    unit: 'bytes',
    error: 'ERR_LIMIT',
    meaning: 'for everything in it: keys, values, and values that are being replaced',
  },
  keys: {
    name: 'keys of an area',
    limit: 65_536,
    unit: 'keys',
    error: 'ERR_LIMIT',
    meaning: 'including those that were deleted last',
  },
  keysOfUser: {
    name: 'keys of one user',
    limit: 4096,
    unit: 'keys',
    error: 'ERR_LIMIT',
    meaning: "whose value that user wrote last; for every user except the owner's and root",
  },
  bytesOfUser: {
    name: 'bytes of one user',
    limit: 16 * MIB,
    unit: 'bytes',
    error: 'ERR_LIMIT',
    meaning: "of those values, and of uploads under way; for every user except the owner's and root",
  },
  valueBytes: {
    name: 'bytes of a value',
    limit: 16 * MIB,
    unit: 'bytes',
    error: 'ERR_LIMIT',
    meaning: 'for JSON, of its text',
  },
  edits: {
    name: 'edits of a transaction',
    limit: 256,
    unit: 'edits',
    error: 'ERR_LIMIT',
    meaning: 'changed together',
  },
  uploads: {
    name: 'uploads',
    limit: 64,
    unit: 'uploads',
    error: 'ERR_LIMIT',
    meaning: 'values that are being sent in parts, of all users together',
  },
  uploadsOfUser: {
    name: 'uploads of one user',
    limit: 48,
    unit: 'uploads',
    error: 'ERR_LIMIT',
    meaning: "every user except the owner's and root",
  },
  uploadsOfPeer: {
    name: 'uploads of one peer',
    limit: 4,
    unit: 'uploads',
    error: 'ERR_LIMIT',
    meaning: 'on one channel',
  },
  uploadPause: {
    name: 'pause of an upload',
    limit: 30_000,
    unit: 'milliseconds',
    error: 'ERR_ILLEGAL_STATE',
    meaning: 'an upload that gets no part for so long is abandoned',
  },
  watchers: {
    name: 'watchers of a store',
    limit: 65_536,
    unit: 'watchers',
    error: 'ERR_LIMIT',
    meaning: 'callbacks for changes, of all users together',
  },
  watchersOfUser: {
    name: 'watchers of a store of one user',
    limit: 4096,
    unit: 'watchers',
    error: 'ERR_LIMIT',
    meaning: "every user except the owner's and root",
  },
  watchersOfPeer: {
    name: 'watchers of a store of one peer',
    limit: 256,
    unit: 'watchers',
    error: 'ERR_LIMIT',
    meaning: 'on one channel',
  },
  noticesPerTurn: {
    name: 'notices of a store in a turn',
    limit: 256,
    unit: 'notices',
    error: null,
    meaning: 'watchers told in one turn of the event loop; the others follow in the next ones',
  },
  cachedValues: {
    name: 'values kept by a reader',
    limit: 10_000,
    unit: 'values',
    error: null,
    meaning: 'as objects; a value that was not read for long is decoded again',
  },
  cachedBytes: {
    name: 'bytes kept by a reader',
    limit: 64 * MIB,
    unit: 'bytes',
    error: null,
    meaning: 'of the texts of those values',
  },
  wholeBytes: {
    name: 'bytes read as a whole',
    limit: 512 * MIB - 24,
    unit: 'bytes',
    error: 'ERR_LIMIT',
    meaning: 'the longest text that Node has; readBytes reads longer values in parts',
  },
  readTries: {
    name: 'tries of a read',
    limit: 8,
    unit: 'tries',
    error: 'ERR_LIMIT',
    meaning: 'of 256 attempts each; an owner that follows the rules does not change a value so often',
  },
} as const satisfies Record<string, Limit>

/** Limits that each store can set, besides its size. */
export const OWN_LIMITS = [
  'keysOfUser',
  'bytesOfUser',
  'edits',
  'uploads',
  'uploadsOfUser',
  'uploadsOfPeer',
  'uploadPause',
  'watchers',
  'watchersOfUser',
  'watchersOfPeer',
] as const satisfies (keyof typeof STORE_LIMITS)[]

/** Each is a whole number. */
export type StoreLimits = { readonly [K in (typeof OWN_LIMITS)[number]]: number }

/** The limit of that name in a store, as its row. */
export function rowOf(name: keyof StoreLimits, limits: StoreLimits): Limit {
  return { ...STORE_LIMITS[name], limit: limits[name] }
}

/** The defaults, except for the limits that are given. */
export function storeLimits(own: Partial<StoreLimits> = {}): StoreLimits {
  const defaults = Object.fromEntries(OWN_LIMITS.map((name) => [name, STORE_LIMITS[name].limit])) as StoreLimits
  return { ...defaults, ...own }
}
