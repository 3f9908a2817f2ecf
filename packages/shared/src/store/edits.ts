/** Arguments of changes, as callers give them. */

import { checkLong, checkNumber, checkObject, checkOptions, show } from '../util/check.ts'
import { InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import type { CoreEdit } from './core-edit.ts'
import { encode, type Json } from './json.ts'
import { rowOf, type StoreLimits } from './limits.ts'
import { checkKey } from './store-key.ts'

/** One change of several. */
export interface StoreEdit {
  /** 1 to 512 bytes of UTF-8 without control characters. */
  key: string
  /** Absent: the key is deleted. */
  value?: Json | Uint8Array | undefined
  /** Write only if the key has this version; 0n: only if it has no value. */
  ifVersion?: bigint | undefined
}

/** The condition under which a value is written, and how long it lives. */
export interface WriteOptions {
  /** Write only if the key has this version; 0n: only if it has no value. */
  ifVersion?: bigint | undefined
  /** The key is deleted after this many milliseconds. A later write without `ttlMs` cancels that. */
  ttlMs?: number | undefined
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function checkWriteOptions(options: WriteOptions): void {
  checkOptions('options', options)
  checkVersion(options.ifVersion)
  if (options.ttlMs !== undefined) checkTtl(options.ttlMs)
}

/** @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE if it is not above 0 */
export function checkTtl(ttlMs: unknown): asserts ttlMs is number {
  checkNumber('ttlMs', ttlMs)
  if (!(ttlMs > 0 && ttlMs <= Number.MAX_SAFE_INTEGER)) {
    throw new OutOfRangeError(`ttlMs must be more than 0 milliseconds, got ${show(ttlMs)}`)
  }
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE NaN or infinite */
export function checkBy(by: unknown): asserts by is number {
  checkNumber('by', by)
  if (!Number.isFinite(by)) throw new OutOfRangeError(`by must be a finite number, got ${show(by)}`)
}

/** @throws ERR_LIMIT so many edits at once */
export function checkUpdate(count: number, limits: StoreLimits): void {
  const row = rowOf('edits', limits)
  if (count > row.limit) throw limitError(row, count)
}

/** Edits as they are asked for, all of them looked at. @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_LIMIT */
export function readEdits(edits: Iterable<StoreEdit>, limits: StoreLimits): CoreEdit[] {
  if (typeof edits !== 'object' || edits === null || typeof edits[Symbol.iterator] !== 'function') {
    throw new InvalidArgTypeError(`edits must be iterable, got ${show(edits)}`)
  }
  const read: CoreEdit[] = []
  for (const edit of edits) {
    checkUpdate(read.length + 1, limits)
    checkObject('each of edits', edit)
    const { key, value, ifVersion } = edit
    checkKey(key)
    checkVersion(ifVersion)
    read.push({ key, value: value === undefined ? null : encode(value), ifVersion })
  }
  return read
}

function checkVersion(ifVersion: unknown): void {
  if (ifVersion === undefined) return
  checkLong('ifVersion', ifVersion)
  if ((ifVersion as bigint) < 0n) throw new InvalidArgValueError('ifVersion must be a version, or 0n')
}
