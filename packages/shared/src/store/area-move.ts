/**
 * Decides when the values of an area move to a new one. Only a move gives memory back, also that of free blocks with
 * the wrong sizes. The cost of a move is limited by what was written since the last one, so moving takes only a part of
 * the time of writing.
 */
import type { AreaRoom } from 'memfd-native'
import { now } from '../util/timers.ts'

const MIB = 1024 * 1024
/** It is worth moving when so much is allocated for each byte that is in use, and so much more. */
const WASTE = 1.2
const LEAST_WASTE = 640 * 1024
/** Without waiting for turns of the event loop, because the writer does not return to it. */
const URGENT_WASTE = 1.6
/** So few bytes are moved at once. */
const FEW_BYTES = 8 * MIB
/**
 * How much must be written between two moves: for each byte in use, for each allocated byte, and for each reader, which
 * must be notified.
 */
const WRITTEN_PART = 0.75
const WRITTEN_FOR_READER = 16 * 1024
/** A move was useless if the waste is back when less than this part of the next move is paid for. */
const IN_VAIN = 0.75
/** After so many in a row each one more makes the next cost twice as much, until more is wasted: values go round in their blocks. */
const MAY_BE_CHANCE = 2
const MOST_PATIENCE = 64
const MORE_WASTE = 1.25
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
  /** Since the last move: whether as much is wasted as makes it move, and was so soon. */
  #wastes: 'no' | 'soon' | 'late' = 'no'
  /** How many moves in a row were useless, and how many bytes were wasted at the last one. */
  #inVain = 0
  #usualWaste = 0

  /** @param clock in milliseconds */
  constructor(clock: () => number = now) {
    this.#now = clock
  }

  /** So much was written. */
  isTimeToLook(bytes: number): boolean {
    this.#written += bytes
    return this.#written >= this.#lookAt
  }

  /** Another reader has it, which must be notified of a move. */
  handedOut(): void {
    this.#readers += 1
  }

  /** Whether to move. Uploads under way would be lost by it. */
  look({ allocatedBytes, usedBytes, reservedBlocks }: AreaRoom): 'now' | 'soon' | null {
    this.#lookAt = this.#written + Math.max(LEAST_WASTE, usedBytes / 16)
    if (allocatedBytes < WASTE * usedBytes + LEAST_WASTE) return null
    const price = WRITTEN_PART * (usedBytes + allocatedBytes) + WRITTEN_FOR_READER * this.#readers
    if (this.#wastes === 'no') this.#wastes = this.#written < IN_VAIN * price ? 'soon' : 'late'
    const waste = allocatedBytes - usedBytes
    const isUsual = this.#wastes === 'soon' && waste <= MORE_WASTE * this.#usualWaste
    if (reservedBlocks > 0 || this.#written < price * (isUsual ? this.#patience : 1)) return null
    this.#usualWaste = waste
    return usedBytes <= FEW_BYTES || allocatedBytes > URGENT_WASTE * usedBytes + LEAST_WASTE ? 'now' : 'soon'
  }

  /** Whether a new area, whose hash nobody knows yet, may be made for the sake of keys that are alike in this one. */
  mayHashAnew(usedBytes: number): boolean {
    return this.#written >= HASHED_PART * usedBytes || this.#now() - this.#movedAt >= HASHED_AGAIN_MS
  }

  moved(): void {
    this.#inVain = this.#wastes === 'soon' ? this.#inVain + 1 : 0
    this.#wastes = 'no'
    this.#written = this.#readers = 0
    this.#lookAt = LEAST_WASTE
    this.#movedAt = this.#now()
  }

  get #patience(): number {
    return Math.min(2 ** Math.max(this.#inVain - MAY_BE_CHANCE, 0), MOST_PATIENCE)
  }
}
