import { errnos } from './errnos.ts'

/**
 * What a read of an area returns instead of a count: negative errnos. They are results, not exceptions, because each of
 * them can happen without a mistake.
 */
export const areaCodes = Object.freeze({
  /** There is no such key, or it has no value. */
  ABSENT: errnos.ENOENT,
  /** The owner was faster than every try, or dies in the middle of many changes. Try again later. */
  BUSY: errnos.EAGAIN,
  /** No owner writes what was found. */
  DAMAGED: errnos.EBADMSG,
  /** The value has another version than the wanted one. */
  CONFLICT: errnos.ESTALE,
  /** The key is empty or longer than 512 bytes. */
  BAD_KEY: errnos.EINVAL,
})

/** What a transaction of an area's owner returns if it fails. */
export const areaWriteCodes = Object.freeze({
  /** The area is full, or the machine. */
  FULL: errnos.ENOSPC,
  /** It has as many keys as it can. Retiring deleted ones may help. */
  TOO_MANY_KEYS: errnos.ENFILE,
  /** Too many keys have a hash like this one's. */
  TOO_MANY_ALIKE: errnos.EXFULL,
  /** More than 256 edits, or a value of 4 GiB. */
  TOO_LARGE: errnos.E2BIG,
  /** Another area has the values, or this one was closed. */
  ENDED: errnos.ESHUTDOWN,
  /** The key is empty or longer than 512 bytes; or a block is none. */
  INVALID: errnos.EINVAL,
  /** A part lies outside its block. */
  OUTSIDE: errnos.ERANGE,
  /** Values of before are loaded before the first transaction only. */
  TOO_LATE: errnos.EPERM,
})

/** The states of an area: `live`, or the reason why it does not change any more. */
export const areaStates = Object.freeze({ LIVE: 0, MOVED: 1, CLOSED: 2 })

/** Of a value. */
export const areaTypes = Object.freeze({ DELETED: 0, BYTES: 1, JSON: 2 })
