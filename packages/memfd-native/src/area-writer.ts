/**
 * The owner's half of an area (docs/protocol.md, section 9): transactions of puts and deletes, at memory speed, whole or not at all
 * however the process ends. No policy: who may write, what it may cost, when deleted keys are retired and when it is time to
 * move is decided by who owns this.
 */
import { areaTypes } from './area-codes.ts'
import { type AreaOptions, createAreaMemory } from './area-creation.ts'
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
import { type Handle, NO_HANDLE, native } from './binding.ts'
import { constants } from './constants.ts'
import { dispose } from './disposal.ts'
import { reopen } from './fd.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { LeakDetector, type Watched } from './leak-detector.ts'
import type { OwnedFd } from './owned-fd.ts'

/** One change of a transaction. */
export interface AreaEdit {
  /** The key that is stored or deleted. */
  key: string
  /** The block that reserve() returned; 0 or absent: the key is deleted. */
  block?: number
}

/** Shared with the leak detector. */
interface Cell extends Watched {
  handle: Handle
  fd: OwnedFd
}

const { areaPut, areaRoom } = native

const leaks = new LeakDetector<Cell>((cell) => {
  if (cell.handle === NO_HANDLE) return null
  native.areaClose(cell.handle)
  cell.fd.close()
  cell.handle = NO_HANDLE
  return 'area'
})

/** Every method throws ERR_CLOSED after close(). */
export class AreaWriter {
  readonly #cell: Cell

  private constructor(handle: Handle, fd: OwnedFd) {
    this.#cell = { handle, fd }
    leaks.watch(this, this.#cell)
    keepFromCloning(this)
  }

  /**
   * Makes a new area. It is sealed: only this object can write it, and nobody can change its size. Memory is allocated
   * as it is needed.
   * @throws SyscallError EINVAL if the capacity has no room for so many keys; ENOSPC or ENOMEM if the machine has no
   *   memory
   */
  static create(options: AreaOptions): AreaWriter {
    const { handle, fd } = createAreaMemory(options)
    return new AreaWriter(handle, fd)
  }

  /** A new read-only descriptor of the area to give to readers. You own it. */
  share(): OwnedFd {
    return reopen(this.#cell.fd, constants.O_RDONLY)
  }

  /**
   * Stores one value.
   * @returns its version, or one of `areaWriteCodes`
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

  /**
   * Deletes a key, and overwrites its value and older ones.
   * @returns the version; 0n if the key had no value; or one of `areaWriteCodes`
   */
  delete(key: string): bigint | number {
    return this.commit([{ key }])
  }

  /**
   * Reserves a block for a value that you write in parts. Readers do not see it before commit().
   * @returns the block, which you end with commit() or abandon(); or one of `areaWriteCodes`
   */
  reserve(byteLength: number, type: number): number {
    return native.areaReserve(this.#cell.handle, byteLength, type)
  }

  /**
   * Copies a part of the value into its block. Bytes that you do not write are undefined.
   * @returns 0, or one of `areaWriteCodes`
   */
  write(block: number, position: number, bytes: Uint8Array): number {
    return native.areaWrite(this.#cell.handle, block, position, bytes)
  }

  /** Frees a block that was reserved, and overwrites what was written to it. Other numbers do nothing. */
  abandon(block: number): void {
    native.areaAbandon(this.#cell.handle, block)
  }

  /**
   * Makes all changes in one transaction, or none of them. If a key appears twice, the last change counts. Deleting a
   * key without a value changes nothing.
   * @returns the version of all changes; 0n if nothing changed; or one of `areaWriteCodes`, and then you still own the
   *   blocks
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
   * Stores an old value with its old version, which must be at most the area's `base`, or what `skipTo` got; it replaces a value that was
   * loaded before. Call it only before the first transaction, and before a reader has the area: for example to restore
   * values.
   * @returns 0, or one of `areaWriteCodes`
   */
  load(key: string, value: { type: number; version: bigint; bytes: Uint8Array }): number {
    checkObject('value', value)
    return native.areaLoad(this.#cell.handle, key, value.type, value.bytes, value.version)
  }

  /**
   * Allocates memory for this many keys, and this many bytes of the heap, before it is needed. This takes most of the
   * time of a move, and can be done in parts. Idempotent.
   * @returns 0, or one of `areaWriteCodes`: FULL if the machine has no memory
   */
  prepare(keys: number, bytes: number): number {
    return native.areaPrepare(this.#cell.handle, keys, bytes)
  }

  /**
   * Copies all values, with their versions, to another area, which must be empty and have no readers yet. Its versions
   * continue this one's.
   * @returns 0, or one of `areaWriteCodes`, and then the other area cannot be used
   */
  copyTo(next: AreaWriter): number {
    checkInstance('next', next, AreaWriter)
    return native.areaCopyAll(this.#cell.handle, next.#cell.handle)
  }

  /**
   * Frees up to `limit` entries of deleted keys for other keys, the oldest first. You decide when: each one uses up a
   * version, makes snapshots under way start again, and makes readers look up their keys again.
   * @returns how many were freed
   */
  retire(limit: number): number {
    return native.areaRetire(this.#cell.handle, limit)
  }

  /**
   * Lets the next version come after this one, and leaves out those between. After the first transaction, or when somebody
   * has the area, it must leave out more than `logSize`: then watchers compare everything.
   * @returns 0, or one of `areaWriteCodes`: INVALID if the version is too low
   */
  skipTo(version: bigint): number {
    return native.areaSkipTo(this.#cell.handle, version)
  }

  /**
   * Builds the index again, with the right size for its keys. It grows by itself.
   * @returns 0, or one of `areaWriteCodes`
   */
  rebuildIndex(): number {
    return native.areaRebuild(this.#cell.handle)
  }

  /** The part of the stats that is needed after every few writes. It is much cheaper than `stats`. */
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
   * Says that another area has all values now. From now on every reader's isUnchanged() is false, and this area accepts
   * no transaction. Call this first, then give readers the descriptor of the new area, and only then commit to it.
   */
  markMoved(): void {
    native.areaMark(this.#cell.handle, 1)
  }

  /** Says that the values do not change any more. The area accepts no transaction from now on. */
  markClosed(): void {
    native.areaMark(this.#cell.handle, 2)
  }

  /** Sets the fields of a replica: see AreaHeader. */
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

  /** Unmaps the area and closes its descriptor. Nobody can write it any more. Readers keep it. Idempotent. */
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

function versionOr(result: number): bigint | number {
  return result < 0 ? result : (longs[VERSION / 2] as bigint)
}
