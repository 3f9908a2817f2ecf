/**
 * A reader's half of an area: many values of any size under many keys in one region that another process writes
 * (docs/protocol.md, section 9). Reads are synchronous, never wait and are never torn, and what they give are copies. The owner
 * may be hostile: whatever it writes, a read ends, with an answer or a code.
 */

import { areaCodes, areaStates } from './area-codes.ts'
import { AreaFeed } from './area-feed.ts'
import { AreaKey } from './area-key.ts'
import { AreaMemory } from './area-memory.ts'
import type { AreaHeader } from './area-types.ts'
import {
  COUNT,
  doubles,
  ENTRY,
  HANDLE,
  NO_ENTRY,
  POSITION,
  passKey,
  passTarget,
  STATE,
  takeBytes,
  WANTED_VERSION,
  words,
} from './area-words.ts'
import { checkInstance, checkObject } from './argument.ts'
import { native, unwrap } from './binding.ts'
import { dispose } from './disposal.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { type Fd, fdNumber } from './owned-fd.ts'

/** A value of a snapshot. */
export interface AreaValue {
  /** `areaTypes` */
  type: number
  /** Of the transaction that wrote it. */
  version: bigint
  /** A copy of the bytes. */
  bytes: Uint8Array
}

/** Values of one moment. */
export interface AreaSnapshot {
  /** The version of the last transaction before that moment. */
  version: bigint
  /** The values, by key. */
  values: Map<string, AreaValue>
}

const { areaRead } = native

/** Every method throws ERR_CLOSED after close(). */
export class AreaReader {
  readonly #memory: AreaMemory

  private constructor(memory: AreaMemory) {
    this.#memory = memory
    keepFromCloning(this)
  }

  /**
   * Checks that the descriptor is of an area, and maps it read-only. The descriptor stays yours; you can close it
   * afterwards.
   * @throws SyscallError EBADMSG if it is not an area; EPERM if it could shrink under its reader; EINVAL if it is not a
   *   memfd, or has huge pages, which its owner could take away
   */
  static attach(fd: Fd): AreaReader {
    return new AreaReader(new AreaMemory(unwrap('mmap', native.areaAttach(fdNumber(fd)), 'attaching an area')))
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: this.isOpen ? 'open' : 'closed' })
  }

  /** A handle of a key, which need not exist. */
  key(key: string): AreaKey {
    return new AreaKey(this.#memory, key)
  }

  /**
   * Reads a key once, without a handle: see `AreaKey.read`.
   * @returns the number of bytes, or one of `areaCodes`; BUSY also if the area has moved
   */
  readOnce(key: string, target: Uint8Array): number {
    words[ENTRY] = NO_ENTRY
    words[WANTED_VERSION] = words[WANTED_VERSION + 1] = 0
    doubles[POSITION] = 0
    doubles[HANDLE] = this.#memory.cell.handle
    passKey(key)
    const argument = passTarget(target)
    areaRead(key, argument)
    const count = doubles[COUNT] as number
    if (argument !== target) takeBytes(target, count)
    return words[STATE] === areaStates.MOVED ? areaCodes.BUSY : count
  }

  /** The current contents of the header. */
  get header(): AreaHeader {
    return native.areaHeader(this.#memory.cell.handle)
  }

  /** The keys that begin with `prefix` and have a value, in no particular order; or one of `areaCodes`. */
  keys(prefix = ''): string[] | number {
    return native.areaKeys(this.#memory.cell.handle, prefix)
  }

  /**
   * Lists the keys in `count` places from `place` on, so that you can list very many in parts. A key that exists all the
   * time is listed once.
   * @returns the keys, or one of `areaCodes`: ABSENT if there are no more places
   */
  keysAt(place: number, count: number): string[] | number {
    return native.areaKeysAt(this.#memory.cell.handle, place, count)
  }

  /**
   * The values of these keys, or of all keys with a prefix, at one moment. Keys without a value are left out.
   * @returns the values, or one of `areaCodes`: BUSY if the owner changed the area during every attempt
   * @param maxBytes a longer value is DAMAGED
   */
  snapshot(keys: readonly string[] | { prefix: string }, maxBytes = 2 ** 32): AreaSnapshot | number {
    checkObject('keys', keys)
    const which = 'prefix' in keys ? keys.prefix : keys
    const flat = native.areaSnapshot(this.#memory.cell.handle, which, maxBytes)
    return typeof flat === 'number' ? flat : snapshotOf(flat)
  }

  /** A feed of the changes of all keys with this prefix. You close it. It does not work after close() of the reader. */
  feed(prefix = ''): AreaFeed {
    return new AreaFeed(this.#memory, prefix)
  }

  /** Lets a feed of an area that has moved continue in this one. Values that are the same here are not reported. */
  takeFeed(feed: AreaFeed): void {
    checkInstance('feed', feed, AreaFeed)
    feed.moveTo(this.#memory)
  }

  /** False after close(). */
  get isOpen(): boolean {
    return this.#memory.isOpen
  }

  /** Unmaps the area. Its keys and feeds throw from now on. Idempotent. munmap(2) */
  close(): void {
    this.#memory.close()
  }

  /** As close(), for `using`. */
  [dispose](): void {
    this.close()
  }
}

function snapshotOf(flat: unknown[]): AreaSnapshot {
  const values = new Map<string, AreaValue>()
  for (let i = 1; i < flat.length; i += 4) {
    const [key, type, version, copy] = flat.slice(i, i + 4) as [string, number, bigint, Uint8Array]
    // Not a Buffer, which compares as another thing and is written as another JSON.
    const bytes = new Uint8Array(copy.buffer, copy.byteOffset, copy.length)
    values.set(key, { type, version, bytes })
  }
  return { version: flat[0] as bigint, values }
}
