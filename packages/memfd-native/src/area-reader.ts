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
  /** A copy, the caller's. */
  bytes: Uint8Array
}

/** Values of one moment. */
export interface AreaSnapshot {
  /** The last transaction of that moment. */
  version: bigint
  /** By their keys. */
  values: Map<string, AreaValue>
}

const { areaRead } = native

/** Every method throws the code ERR_CLOSED after close(). */
export class AreaReader {
  readonly #memory: AreaMemory

  private constructor(memory: AreaMemory) {
    this.#memory = memory
    keepFromCloning(this)
  }

  /**
   * Checks what the descriptor leads to, and maps it read-only. The descriptor stays the caller's and is not needed any more.
   *
   * @throws SyscallError EBADMSG when it is no area; EPERM when it could shrink under its reader; EINVAL when it is no memfd, or
   * one of huge pages, which its owner could take away
   */
  static attach(fd: Fd): AreaReader {
    return new AreaReader(new AreaMemory(unwrap('mmap', native.areaAttach(fdNumber(fd)), 'attaching an area')))
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: this.isOpen ? 'open' : 'closed' })
  }

  /** A key that is read once, or again and again. It need not exist. */
  key(key: string): AreaKey {
    return new AreaKey(this.#memory, key)
  }

  /**
   * As `read` of a key that is made for this one time, and nothing is kept of it. Answers how many bytes, or `areaCodes`; BUSY also when
   * the area has moved.
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

  /** What the header says now. */
  get header(): AreaHeader {
    return native.areaHeader(this.#memory.cell.handle)
  }

  /** The keys that begin with `prefix` and have a value, in no order; or `areaCodes`. */
  keys(prefix = ''): string[] | number {
    return native.areaKeys(this.#memory.cell.handle, prefix)
  }

  /**
   * The values of these keys, or of all with a prefix, as they were at one moment; absent ones are left out. Or `areaCodes`: BUSY
   * when the owner did not leave it the time.
   *
   * @param maxBytes a longer value is DAMAGED
   */
  snapshot(keys: readonly string[] | { prefix: string }, maxBytes = 2 ** 32): AreaSnapshot | number {
    checkObject('keys', keys)
    const which = 'prefix' in keys ? keys.prefix : keys
    const flat = native.areaSnapshot(this.#memory.cell.handle, which, maxBytes)
    return typeof flat === 'number' ? flat : snapshotOf(flat)
  }

  /** Says which keys with this prefix change. The caller closes it; it is of no use when this was closed. */
  feed(prefix = ''): AreaFeed {
    return new AreaFeed(this.#memory, prefix)
  }

  /** A feed of an area that has moved goes on in this one. What is the same here is no change. */
  takeFeed(feed: AreaFeed): void {
    checkInstance('feed', feed, AreaFeed)
    feed.moveTo(this.#memory)
  }

  /** False after close(). */
  get isOpen(): boolean {
    return this.#memory.isOpen
  }

  /** Unmaps now; again is harmless. Its keys and feeds throw from then on. munmap(2) */
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
