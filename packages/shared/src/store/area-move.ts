/**
 * When the values of an area are to move to a new one. Memory of an area is given back by that only, and what free blocks of the wrong
 * sizes have cost. It is paid for by what was written since the last move: so moving never takes more than a part of the time of writing.
 */
import type { AreaRoom } from 'memfd-native'
import { now } from '../util/timers.ts'

const MIB = 1024 * 1024
/** It is worth moving when so much is allocated for each byte that is in use, and so much more. */
const WASTE = 1.2
const LEAST_WASTE = 640 * 1024
/** Without waiting for turns of the event loop: whoever writes does not come to one. */
const URGENT_WASTE = 1.6
/** So few bytes are moved at once. */
const FEW_BYTES = 8 * MIB
/** Between two moves so much is written for each byte in use, for each that is allocated, and for each reader, who is to be told. */
const WRITTEN_PART = 0.75
const WRITTEN_FOR_READER = 16 * 1024
/** Another hash for all keys is worth this part of them; or so many milliseconds of waiting. */
const HASHED_PART = 1 / 8
const HASHED_AGAIN_MS = 10_000

export class MoveReasons {
  readonly #now: () => number
  /** Since the last move. */
  #written = 0
  #lookAt = LEAST_WASTE
  #movedAt = Number.NEGATIVE_INFINITY
  /** To so many it was handed out. */
  #readers = 0

  /** @param clock in milliseconds */
  constructor(clock: () => number = now) {
    this.#now = clock
  }

  /** So much was written. */
  isTimeToLook(bytes: number): boolean {
    this.#written += bytes
    return this.#written >= this.#lookAt
  }

  /** It was handed out once more: one more is to be told of a move. */
  handedOut(): void {
    this.#readers += 1
  }

  /** Whether to move. Uploads under way would be lost by it. */
  look({ allocatedBytes, usedBytes, reservedBlocks }: AreaRoom): 'now' | 'soon' | null {
    this.#lookAt = this.#written + Math.max(LEAST_WASTE, usedBytes / 16)
    const price = WRITTEN_PART * (usedBytes + allocatedBytes) + WRITTEN_FOR_READER * this.#readers
    if (reservedBlocks > 0 || this.#written < price) return null
    if (allocatedBytes < WASTE * usedBytes + LEAST_WASTE) return null
    return usedBytes <= FEW_BYTES || allocatedBytes > URGENT_WASTE * usedBytes + LEAST_WASTE ? 'now' : 'soon'
  }

  /** Whether a new area, whose hash nobody knows yet, may be made for the sake of keys that are alike in this one. */
  mayHashAnew(usedBytes: number): boolean {
    return this.#written >= HASHED_PART * usedBytes || this.#now() - this.#movedAt >= HASHED_AGAIN_MS
  }

  moved(): void {
    this.#written = this.#readers = 0
    this.#lookAt = LEAST_WASTE
    this.#movedAt = this.#now()
  }
}
