/** A watcher of the keys of an area: reads its change log, and misses the last change of no key. */

import type { AreaMemory } from './area-memory.ts'
import { type Handle, NO_HANDLE, native, unwrap } from './binding.ts'
import { dispose } from './disposal.ts'
import { errnos } from './errnos.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { LeakDetector, type Watched } from './leak-detector.ts'

/** A key that has changed since it was polled last. */
export interface AreaChange {
  /** The key. */
  key: string
  /** Of the value now, or of the deletion; 0n when only that it is gone is known. */
  version: bigint
  /** False: it was deleted. */
  hasValue: boolean
}

/** What a poll answers. */
export interface AreaChanges {
  /** Each key once. */
  changes: AreaChange[]
  /** False: there are more, or the owner was faster. What is missing comes with one of the next polls, which should be soon. */
  isComplete: boolean
  /** There only if there are more, of very many: the next poll goes on where this one has ended. */
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

/** Made by AreaReader.feed(). The caller closes it. */
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
   * Before the first poll: what is there now is no change. Every key is looked at, in native code only. Answers 0, or `areaCodes`: BUSY,
   * once more, or what could not be read is told as a change; DAMAGED.
   *
   * @throws SyscallError EBADF after close(), or that of the reader
   */
  skipPresent(): number {
    const code = native.areaSkipPresent(this.#cell.handle)
    return code === errnos.EBADF ? unwrap('poll', code) : code
  }

  /**
   * What changed since the last call: each key once, as it is now. The first call answers all keys that have a value; of very many some
   * thousands in each call. Or `areaCodes`: DAMAGED. It takes a notice of the owner to know when to call it; the notice is acknowledged before.
   *
   * @throws SyscallError EBADF after close(), or that of the reader
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

  /** @internal Goes on in another area, which has the values now: what is the same there is no change. */
  moveTo(memory: AreaMemory): void {
    unwrap('feed', native.areaMoveFeed(this.#cell.handle, memory.cell.handle))
  }

  /** Forgets all; again is harmless. */
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
