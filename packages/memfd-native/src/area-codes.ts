/**
 * What a read of an area answers instead of a count: negative errnos, as the addon's calls have them. They are answers and no
 * errors: each of them has a case that is nobody's fault.
 */
export const areaCodes = Object.freeze({
  /** There is no such key, or it has no value. -ENOENT */
  ABSENT: -2,
  /** The owner was faster than every try, or dies in the middle of many changes. Try again later. -EAGAIN */
  BUSY: -11,
  /** No owner writes what was found. -EBADMSG */
  DAMAGED: -74,
  /** The value has another version than the wanted one. -ESTALE */
  CONFLICT: -116,
  /** The key is empty or longer than 512 bytes. -EINVAL */
  BAD_KEY: -22,
})

/** What a transaction of an area's owner answers instead of 0. */
export const areaWriteCodes = Object.freeze({
  /** The area is full, or the machine. -ENOSPC */
  FULL: -28,
  /** It has as many keys as it can. Retiring deleted ones may help. -ENFILE */
  TOO_MANY_KEYS: -23,
  /** Too many keys have a hash like this one's. -EXFULL */
  TOO_MANY_ALIKE: -54,
  /** More than 256 edits, or a value of 4 GiB. -E2BIG */
  TOO_LARGE: -7,
  /** Another area has the values, or this one was closed. -ESHUTDOWN */
  ENDED: -108,
  /** The key is empty or longer than 512 bytes; or a block is none. -EINVAL */
  INVALID: -22,
  /** A part lies outside its block. -ERANGE */
  OUTSIDE: -34,
  /** Values of before are loaded before the first transaction only. -EPERM */
  TOO_LATE: -1,
})

/** Of an area: `live`, or why nothing changes in it any more. */
export const areaStates = Object.freeze({ LIVE: 0, MOVED: 1, CLOSED: 2 })

/** Of a value. */
export const areaTypes = Object.freeze({ DELETED: 0, BYTES: 1, JSON: 2 })
