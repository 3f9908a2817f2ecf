/**
 * The owner's half of an area (docs/protocol.md, section 9): transactions of puts and deletes, at memory speed, whole or not at all
 * however the process ends. No policy: who may write, what it may cost, when deleted keys are retired and when it is time to
 * move is decided by who owns this.
 */
import process from 'node:process'
import { areaTypes } from './area-codes.ts'
import type { AreaRoom, AreaStats } from './area-types.ts'
import {
  ALLOCATED_BYTES,
  COUNT,
  doubles,
  HANDLE,
  longs,
  passBytes,
  passKey,
  RESERVED_BLOCKS,
  TYPE,
  USED_BYTES,
  VERSION,
  words,
} from './area-words.ts'
import { checkInstance, checkList, checkNumber, checkObject } from './argument.ts'
import { type Handle, NO_HANDLE, native, unwrap } from './binding.ts'
import { constants } from './constants.ts'
import { dispose } from './disposal.ts'
import { reopen } from './fd.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { LeakDetector, type Watched } from './leak-detector.ts'
import { addSeals, fchmod, ftruncate, memfdCreate } from './memfd.ts'
import { mmap } from './mmap.ts'
import type { OwnedFd } from './owned-fd.ts'
import { SyscallError } from './syscall-error.ts'

/** Of a new area. */
export interface AreaOptions {
  /** In bytes, of all of it: the most that its readers and values can ever cost. At most 2^40. */
  capacity: number
  /** At most 16,777,216. Default 65,536; each costs 64 bytes of the capacity, used or not. */
  maxKeys?: number
  /** Changes that a watcher may be behind before it has to compare everything: a power of two, 512 to 2^20. Default 4,096. */
  logSize?: number
  /** What the first transaction's version comes after. No version is ever given twice if a new area begins with the last one's. */
  base?: bigint
  /** Shows in /proc/PID/maps. */
  name?: string
}

/** One change of a transaction. */
export interface AreaEdit {
  /** What is put or deleted. */
  key: string
  /** What reserve() answered; 0 or nothing: the key is deleted. */
  block?: number
}

/** Shared with the leak detector. */
interface Cell extends Watched {
  handle: Handle
  fd: OwnedFd
}

const { areaPut, areaRoom } = native

const DEFAULT_MAX_KEYS = 65_536
const DEFAULT_LOG_SIZE = 4096

const leaks = new LeakDetector<Cell>((cell) => {
  if (cell.handle === NO_HANDLE) return null
  native.areaClose(cell.handle)
  cell.fd.close()
  cell.handle = NO_HANDLE
  return 'area'
})

/** Every method throws the code ERR_CLOSED after close(). */
export class AreaWriter {
  readonly #cell: Cell

  private constructor(handle: Handle, fd: OwnedFd) {
    this.#cell = { handle, fd }
    leaks.watch(this, this.#cell)
    keepFromCloning(this)
  }

  /**
   * A new area, sealed: nobody can write it but this object, nobody can change its size. Of its memory only the beginning is
   * allocated, the rest when it is needed.
   *
   * @throws SyscallError EINVAL the capacity has no room for so many keys; ENOSPC, ENOMEM the machine is full
   */
  static create(options: AreaOptions): AreaWriter {
    checkObject('options', options)
    const {
      capacity,
      maxKeys = DEFAULT_MAX_KEYS,
      logSize = DEFAULT_LOG_SIZE,
      base = 0n,
      name = 'memsvc-area',
    } = options
    checkNumber('capacity', capacity)
    const bytes = Math.ceil(capacity / mmap.PAGESIZE) * mmap.PAGESIZE
    const fd = newMemfd(name)
    try {
      ftruncate(fd, bytes)
      addSeals(fd, constants.F_SEAL_SHRINK | constants.F_SEAL_GROW)
      const epoch = process.getBuiltinModule('node:crypto').randomBytes(8).readBigUInt64LE()
      const geometry = { capacity: bytes, maxKeys, logSize, base, epoch }
      const handle = unwrap('mmap', native.areaCreate(fd.fd, geometry), 'making an area')
      const writer = new AreaWriter(handle, fd)
      // The mapping that was made is the only way to write, for ever.
      addSeals(fd, constants.F_SEAL_FUTURE_WRITE | constants.F_SEAL_SEAL)
      fchmod(fd, 0o400)
      return writer
    } catch (error) {
      fd.close()
      throw error
    }
  }

  /** A read-only descriptor to hand out, the caller's: an open of its own. */
  share(): OwnedFd {
    return reopen(this.#cell.fd, constants.O_RDONLY)
  }

  /**
   * Puts one value. Answers its version, or `areaWriteCodes`.
   *
   * @param type `areaTypes.BYTES` or `areaTypes.JSON`
   * @param value copied
   */
  put(key: string, type: number, value: Uint8Array): bigint | number {
    const isType = type === areaTypes.BYTES || type === areaTypes.JSON
    if (!isType) checkNumber('type', type)
    words[TYPE] = isType ? type : areaTypes.DELETED // which is refused
    doubles[HANDLE] = this.#cell.handle
    passKey(key)
    areaPut(key, passBytes(value))
    return versionOr(doubles[COUNT] as number)
  }

  /** Deletes a key. Its value is wiped, older ones too. Answers the version, 0n when there was none, or `areaWriteCodes`. */
  delete(key: string): bigint | number {
    return this.commit([{ key }])
  }

  /**
   * Makes room for a value that comes in parts, which nobody takes for one until it is committed. Answers its block, or
   * `areaWriteCodes`. It is the caller's: it ends with commit() or abandon().
   */
  reserve(byteLength: number, type: number): number {
    return native.areaReserve(this.#cell.handle, byteLength, type)
  }

  /** Copies a part of the value into its place. 0, or `areaWriteCodes`. Whatever was not written is undefined. */
  write(block: number, position: number, bytes: Uint8Array): number {
    return native.areaWrite(this.#cell.handle, block, position, bytes)
  }

  /** Gives up a value that was reserved; what was written of it is wiped. Anything else is harmless. */
  abandon(block: number): void {
    native.areaAbandon(this.#cell.handle, block)
  }

  /**
   * Carries all edits out at once, or none of them. Of a key that is there twice the last one counts; a delete of what is not there is no
   * change. Answers the version of all of it, 0n when nothing changed, or `areaWriteCodes`: then the blocks are still the caller's.
   */
  commit(edits: readonly AreaEdit[]): bigint | number {
    checkList('edits', edits)
    const keys: string[] = []
    const blocks: number[] = []
    for (const edit of edits) {
      checkObject('an edit', edit)
      const { key, block = 0 } = edit
      keys.push(key)
      blocks.push(block)
    }
    return versionOr(native.areaCommit(this.#cell.handle, keys, blocks))
  }

  /**
   * Puts a value of before with the version it had, which is at most the area's `base`; in place of one that was loaded before. Only before
   * the first transaction, and before anybody has the area: for moving and for starting again. 0, or `areaWriteCodes`.
   */
  load(key: string, value: { type: number; version: bigint; bytes: Uint8Array }): number {
    checkObject('value', value)
    return native.areaLoad(this.#cell.handle, key, value.type, value.bytes, value.version)
  }

  /**
   * Has memory allocated for so many keys, and so many bytes of the heap, before it is needed: that takes most of the time of a move, and
   * can be done in parts. Again is harmless. 0, or `areaWriteCodes`: FULL, the machine has no more.
   */
  prepare(keys: number, bytes: number): number {
    return native.areaPrepare(this.#cell.handle, keys, bytes)
  }

  /**
   * Puts all values, with their versions, into another area, in which nothing is yet and which nobody has: its versions come after this
   * one's. 0, or `areaWriteCodes`: then the other one is of no use any more.
   */
  copyTo(next: AreaWriter): number {
    checkInstance('next', next, AreaWriter)
    return native.areaCopyAll(this.#cell.handle, next.#cell.handle)
  }

  /**
   * Makes up to `limit` deleted keys free for others, those first that were deleted longest ago. Answers how many. When, is the caller's
   * decision: each takes a number of its own, lets snapshots that are under way begin anew, and makes readers find keys again.
   */
  retire(limit: number): number {
    return native.areaRetire(this.#cell.handle, limit)
  }

  /** Makes the index anew, of the size that is right for its keys. It grows by itself. 0, or `areaWriteCodes`. */
  rebuildIndex(): number {
    return native.areaRebuild(this.#cell.handle)
  }

  /** Of its stats what is asked after every few writes, at a small part of the price. */
  get room(): AreaRoom {
    doubles[HANDLE] = this.#cell.handle
    areaRoom()
    return {
      allocatedBytes: doubles[ALLOCATED_BYTES] as number,
      usedBytes: doubles[USED_BYTES] as number,
      reservedBlocks: doubles[RESERVED_BLOCKS] as number,
    }
  }

  /** What it holds. */
  get stats(): AreaStats {
    return native.areaStats(this.#cell.handle)
  }

  /**
   * Another area has all values now, and nobody has got that one yet: from here on every reader's isUnchanged() is false, and no
   * transaction is carried out. Give out the new one's descriptor after this, and commit to it only after that.
   */
  markMoved(): void {
    native.areaMark(this.#cell.handle, 1)
  }

  /** The values stay as they are; no transaction is carried out any more. */
  markClosed(): void {
    native.areaMark(this.#cell.handle, 2)
  }

  /** The words of a replica (AreaHeader). */
  setReplica(state: number, applied: bigint, contact: bigint): void {
    native.areaReplica(this.#cell.handle, state, applied, contact)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: this.isOpen ? 'open' : 'closed' })
  }

  /** False after close(). */
  get isOpen(): boolean {
    return this.#cell.handle !== NO_HANDLE
  }

  /** Unmaps it and closes its descriptor: nobody can write it any more, ever. Readers keep it. Again is harmless. */
  close(): void {
    native.areaClose(this.#cell.handle)
    this.#cell.fd.close()
    this.#cell.handle = NO_HANDLE
    leaks.forget(this, this.#cell)
  }

  /** As close(), for `using`. */
  [dispose](): void {
    this.close()
  }
}

/** Not executable where the kernel knows of it (6.3). */
function newMemfd(name: string): OwnedFd {
  try {
    return memfdCreate(name, constants.MFD_NOEXEC_SEAL)
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'EINVAL') return memfdCreate(name, constants.MFD_ALLOW_SEALING)
    throw error
  }
}

function versionOr(result: number): bigint | number {
  return result < 0 ? result : (longs[VERSION / 2] as bigint)
}
