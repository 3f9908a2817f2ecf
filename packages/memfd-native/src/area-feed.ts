/** Watches the keys of an area by reading its change log. It never misses the last change of a key. */

import type { AreaMemory } from './area-memory.ts'
import { checkInstance } from './argument.ts'
import { type Handle, NO_HANDLE, native, unwrap } from './binding.ts'
import { dispose } from './disposal.ts'
import { errnos } from './errnos.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { LeakDetector, type Watched } from './leak-detector.ts'

/** A key that has changed since the last poll. */
export interface AreaChange {
  /** The key. */
  key: string
  /** The version of the current value or of the deletion; 0n if the key was deleted and the version is not known. */
  version: bigint
  /** false if the key was deleted. */
  hasValue: boolean
}

/** The result of a poll. */
export interface AreaChanges {
  /** The changed keys, each once. */
  changes: AreaChange[]
  /**
   * false if there are more changes, or if the owner changed the area during the poll, or while everything was compared.
   * Poll again soon: one of the next polls returns the rest.
   */
  isComplete: boolean
  /** Present if there are too many changes for one poll: the next poll continues where this one ended. */
  hasMore?: true
}

interface Cell extends Watched {
  handle: Handle
}

const leaks = new LeakDetector<Cell>((cell) => {
  if (cell.handle === NO_HANDLE) return null
  native.areaCloseFeed(cell.handle)
  cell.handle = NO_HANDLE
  return 'feed of an area'
})

/** Reports changed keys. AreaReader.feed() makes it, and you close it. */
export class AreaFeed {
  readonly #cell: Cell

  /** @internal */
  constructor(memory: AreaMemory, prefix: string) {
    this.#cell = { handle: unwrap('feed', native.areaOpenFeed(memory.cell.handle, prefix)) }
    leaks.watch(this, this.#cell)
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: this.#cell.handle === NO_HANDLE ? 'closed' : 'open' })
  }

  /**
   * Call it before the first poll, so that values which exist now are not reported as changes. It looks at every key,
   * in native code.
   * @returns 0, or one of `areaCodes`: BUSY (call it again, or some keys are reported as changes), DAMAGED
   * @throws SyscallError EBADF after close() of this or of the reader
   */
  skipPresent(): number {
    const code = native.areaSkipPresent(this.#cell.handle)
    return code === errnos.EBADF ? unwrap('poll', code) : code
  }

  /**
   * What has changed since the last call: each key once, in its current state. The first call returns all keys that
   * have a value; if there are many, each call returns some thousands. Call it after each notice of the owner, and
   * acknowledge the notice first.
   * @returns the changes, or one of `areaCodes`: DAMAGED
   * @throws SyscallError EBADF after close() of this or of the reader
   */
  poll(): AreaChanges | number {
    const flat = native.areaPoll(this.#cell.handle)
    if (typeof flat === 'number') return flat === errnos.EBADF ? unwrap('poll', flat) : flat
    const changes: AreaChange[] = []
    for (let i = 1; i < flat.length; i += 3) {
      changes.push({ key: flat[i] as string, version: flat[i + 1] as bigint, hasValue: flat[i + 2] as boolean })
    }
    return { changes, isComplete: flat[0] === 0, ...(flat[0] === errnos.EINPROGRESS ? { hasMore: true } : {}) }
  }

  /** @internal Continues in another area, which has the values now. Values that are the same there are not reported. */
  moveTo(memory: AreaMemory): void {
    unwrap('feed', native.areaMoveFeed(this.#cell.handle, memory.cell.handle))
  }

  /**
   * Takes over what another feed knows. Call it before the first poll, if the keys of several areas were divided anew: a key
   * that came from the area of `other`, and is the same here, is not reported. A key that is in no area any more is
   * reported by all feeds that know it.
   * @throws SyscallError EBADF after close() of one of them
   */
  takeKnown(other: AreaFeed): void {
    checkInstance('other', other, AreaFeed)
    unwrap('feed', native.areaTakeKnown(this.#cell.handle, other.#cell.handle))
  }

  /** Releases everything. Idempotent. */
  close(): void {
    native.areaCloseFeed(this.#cell.handle)
    this.#cell.handle = NO_HANDLE
    leaks.forget(this, this.#cell)
  }

  /** As close(), for `using`. */
  [dispose](): void {
    this.close()
  }
}
