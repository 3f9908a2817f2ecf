/**
 * The area to which values will move. Allocating its memory takes most of the time of a move, so it can be done before,
 * in parts.
 */
import { AreaWriter } from 'memfd-native'
import { setImmediate } from '../util/timers.ts'
import { type AreaSize, isNoRoom, leastCapacity } from './area-size.ts'

/** Allocated in one turn of the event loop. */
const PART_BYTES = 4 * 1024 * 1024
const REGION_NAME = 'memsvc-store'
/** Changes that a watcher may be behind: 8 bytes each, so that a small area is not all change log. */
const [LOG_SIZE, SMALL_LOG_SIZE] = [4096, 512]
const SMALL_ROOM = 128 * 1024

/** Nothing is in it. @throws errors of memfd_create(2), fallocate(2), mmap(2) */
export function createArea(size: AreaSize, base: bigint): AreaWriter {
  const room = size.capacity - leastCapacity(size.maxKeys)
  const logSize = room < SMALL_ROOM ? SMALL_LOG_SIZE : LOG_SIZE
  return AreaWriter.create({ ...size, logSize, base, name: REGION_NAME })
}

export class NextArea {
  readonly #onReady: () => void
  #writer: AreaWriter | null = null
  #size: AreaSize = { capacity: 0, maxKeys: 0 }

  /** @param onReady its memory is allocated */
  constructor(onReady: () => void) {
    this.#onReady = onReady
  }

  /** Begins to allocate its memory, a part in each turn of the event loop. It stops if the machine has no room. */
  prepare(from: AreaWriter, size: AreaSize): void {
    if (this.#writer !== null) return
    try {
      this.#writer = createArea(size, from.stats.committed)
    } catch (error) {
      if (isNoRoom(error)) return
      throw error
    }
    this.#size = size
    this.#prepareSoon(from, { to: this.#writer, wanted: PART_BYTES })
  }

  /**
   * The prepared area if it has this size, otherwise a new one. The caller owns it.
   * @throws as `createArea`
   */
  take(from: AreaWriter, size: AreaSize): AreaWriter {
    const writer = this.#writer
    if (writer !== null && size.capacity === this.#size.capacity && size.maxKeys === this.#size.maxKeys) {
      this.#writer = null
      return writer
    }
    this.drop()
    return createArea(size, from.stats.committed)
  }

  /** It is not wanted any more. */
  drop(): void {
    this.#writer?.close()
    this.#writer = null
  }

  #prepareSoon(from: AreaWriter, { to, wanted }: { to: AreaWriter; wanted: number }): void {
    setImmediate(() => {
      if (this.#writer !== to) return // the values have moved meanwhile, or it was dropped
      const { keys, usedBytes, reservedBlocks } = from.stats
      const isPossible = reservedBlocks === 0 && to.prepare(keys, Math.min(wanted, usedBytes)) === 0
      if (!isPossible) this.drop()
      else if (wanted < usedBytes) this.#prepareSoon(from, { to, wanted: wanted + PART_BYTES })
      else this.#onReady()
    }).unref()
  }
}
