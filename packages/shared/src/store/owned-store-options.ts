/** The options of a store: their defaults, and the checks. */
import process from 'node:process'
import { type Caller, inContext } from '../binder/calling-identity.ts'
import { checkFunction, checkInteger, checkObject, checkOptions, checkString, INT_MAX, show } from '../util/check.ts'
import { InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } from '../util/errors.ts'
import { type AreaSize, keysFor, leastCapacity } from './area-size.ts'
import { OWN_LIMITS, STORE_LIMITS, type StoreLimits, storeLimits } from './limits.ts'
import { checkKey } from './store-key.ts'

/** A part of a store that the same callers may read. It is a region of its own. */
export interface OwnedAreaRule {
  /**
   * Patterns: keys, or beginnings of keys with a `*` at the end. A key is in the first area with a pattern that fits.
   */
  keys: string[]
  /**
   * Returns true if this caller may read the area. The caller's uid and pid come from the kernel. By default everybody
   * may. It runs in the async context in which you gave it.
   */
  mayRead?: (caller: Caller) => boolean
}

/** The size of a store, and who may read and write it. */
export interface OwnedStoreOptions {
  /**
   * The bytes of each area, including what it needs besides values: at least 16 KiB plus 64 bytes for each key, at most
   * 2^40. Default 64 MiB.
   */
  capacity?: number
  /**
   * The keys of each area, at most 16,777,216. Default: one for each KiB of the capacity, at most 65,536. Each takes 64
   * bytes, used or not.
   */
  maxKeys?: number
  /** The bytes of one value, for JSON of its text. Default 16 MiB. */
  maxValueBytes?: number
  /**
   * Returns true if this caller may write the key. The caller's uid and pid come from the kernel. By default the user
   * of this process and root may. It runs in the async context in which you gave it.
   */
  mayWrite?: (caller: Caller, key: string) => boolean
  /** The areas. By default one area with all keys, for everybody. */
  areas?: OwnedAreaRule[]
  /** What users may store; a limit that you do not give keeps its default. */
  limits?: Partial<StoreLimits>
}

/** As it was given, and what is asked. */
export interface AreaRule extends OwnedAreaRule {
  readonly isReadBy: (caller: Caller) => boolean
}

const MAX_CAPACITY = 2 ** 40
const MAX_KEYS = 2 ** 24
/** Each is a descriptor in one answer. */
const MAX_AREAS = 64
/** What the format carries: docs/protocol.md, 9.2. */
const MAX_EDITS = 256
const ALL_KEYS: OwnedAreaRule[] = [{ keys: ['*'] }]

/** With every default. @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function readOptions(options: OwnedStoreOptions) {
  checkOptions('options', options)
  const { capacity = STORE_LIMITS.capacity.limit } = options
  const { maxKeys = keysFor(capacity) } = options
  const { maxValueBytes = STORE_LIMITS.valueBytes.limit, mayWrite = isOwnerOrRoot, areas = ALL_KEYS } = options
  checkFunction('mayWrite', mayWrite)
  return {
    areas: checkedAreas(areas),
    size: checkedSize({ capacity, maxKeys }),
    maxValueBytes: checkedValueBytes(maxValueBytes),
    mayWrite: mayWrite === isOwnerOrRoot ? mayWrite : inContext('memsvc:mayWrite', mayWrite),
    limits: checkedLimits(options.limits),
  }
}

/** @throws ERR_OUT_OF_RANGE */
export function checkedValueBytes(bytes: number = STORE_LIMITS.valueBytes.limit): number {
  checkInteger('maxValueBytes', bytes, 0, 2 ** 32 - 1)
  return bytes
}

/** @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE a limit that there is none of */
export function checkedLimits(own: Partial<StoreLimits> = {}): StoreLimits {
  checkOptions('limits', own)
  for (const name of Object.keys(own))
    if (!isOwnLimit(name)) throw new InvalidArgValueError(`limits has no ${show(name)}`)
  const limits = storeLimits(own)
  for (const [name, limit] of Object.entries(limits)) {
    checkInteger(`limits.${name}`, limit, 0, name === 'edits' ? MAX_EDITS : INT_MAX)
  }
  return limits
}

function isOwnLimit(name: string): boolean {
  return (OWN_LIMITS as readonly string[]).includes(name)
}

/** @throws ERR_OUT_OF_RANGE */
export function checkedSize(size: AreaSize): AreaSize {
  checkInteger('capacity', size.capacity, 1, MAX_CAPACITY)
  checkInteger('maxKeys', size.maxKeys, 1, MAX_KEYS)
  const least = leastCapacity(size.maxKeys)
  if (size.capacity < least) {
    throw new OutOfRangeError(`capacity must be at least ${least} for ${size.maxKeys} keys, got ${size.capacity}`)
  }
  return size
}

/**
 * A copy of the options, so that later changes to them do nothing.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 */
export function checkedAreas(areas: readonly OwnedAreaRule[]): AreaRule[] {
  checkAreas(areas)
  return areas.map(({ keys, mayRead }) => ({
    keys: [...keys],
    ...(mayRead === undefined ? {} : { mayRead }),
    isReadBy: mayRead === undefined ? everybody : inContext('memsvc:mayRead', mayRead),
  }))
}

function checkAreas(areas: readonly OwnedAreaRule[]): void {
  if (!Array.isArray(areas)) throw new InvalidArgTypeError(`areas must be an array, got ${show(areas)}`)
  if (areas.length === 0 || areas.length > MAX_AREAS)
    throw new InvalidArgValueError(`areas must have 1 to ${MAX_AREAS} elements`)
  for (const area of areas) checkObject('each of areas', area)
  for (const { keys, mayRead } of areas) {
    if (!Array.isArray(keys)) throw new InvalidArgTypeError(`the keys of an area must be an array, got ${show(keys)}`)
    for (const pattern of keys) checkPattern(pattern)
    if (mayRead !== undefined) checkFunction('mayRead', mayRead)
  }
}

function checkPattern(pattern: unknown): void {
  checkString('each of the keys of an area', pattern)
  if (pattern !== '*') checkKey(pattern.endsWith('*') ? pattern.slice(0, -1) : pattern)
}

function everybody(): boolean {
  return true
}

function isOwnerOrRoot({ uid }: Caller): boolean {
  return uid === 0 || uid === process.getuid?.()
}
