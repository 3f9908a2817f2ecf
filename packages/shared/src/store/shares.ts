/**
 * What the users of a store have in it. Charged before it exists. The owner's own user and root have no share: of theirs nothing is
 * written down.
 */
import { limitError } from '../util/limit.ts'
import { rowOf, type StoreLimits } from './limits.ts'

/** Who pays for a value, and what. */
interface Holding {
  readonly uid: number
  readonly bytes: number
}

interface Used {
  keys: number
  bytes: number
}

/** A value that is about to be put: `null` bytes delete it. */
export interface Charge {
  readonly key: string
  /** As `placeBytes` answers. */
  readonly bytes: number | null
}

const ENTRY_BYTES = 64
const BLOCK_BYTES = 32
const SMALLEST_LOG2 = 6
/** Up to here a key is in its entry. */
const SHORT_KEY_BYTES = 24

/** What a value takes of its area, in bytes: its block and its entry, and a block for a long key. */
export function placeBytes(key: string, valueBytes: number): number {
  const keyBytes = Buffer.byteLength(key)
  return ENTRY_BYTES + blockBytes(valueBytes) + (keyBytes > SHORT_KEY_BYTES ? blockBytes(keyBytes) : 0)
}

export class Shares {
  readonly #limits: StoreLimits
  readonly #holdings = new Map<string, Holding>()
  readonly #users = new Map<number, Used>()

  constructor(limits: StoreLimits) {
    this.#limits = limits
  }

  /** @throws ERR_LIMIT these values would be too much for the user. Null: one without a share. */
  check(uid: number | null, charges: readonly Charge[]): void {
    if (uid === null) return
    let { keys, bytes } = this.usedBy(uid)
    for (const charge of charges) {
      const before = this.#holdings.get(charge.key)
      const isOwn = before?.uid === uid
      if (charge.bytes === null) continue
      keys += isOwn ? 0 : 1
      bytes += charge.bytes - (isOwn ? before.bytes : 0)
    }
    const [keyRow, byteRow] = [rowOf('keysOfUser', this.#limits), rowOf('bytesOfUser', this.#limits)]
    if (keys > keyRow.limit) throw limitError(keyRow, keys)
    if (bytes > byteRow.limit) throw limitError(byteRow, bytes)
  }

  /** They have been put: from now on this user pays for them, and whoever did so before does not. */
  settle(uid: number | null, charges: readonly Charge[]): void {
    if (uid === null && this.#holdings.size === 0) return
    for (const { key, bytes } of charges) {
      this.release(key)
      if (uid === null || bytes === null) continue
      this.#holdings.set(key, { uid, bytes })
      this.#add(uid, 1, bytes)
    }
  }

  /** Bytes that are no value yet: an upload. @returns gives them back. @throws ERR_LIMIT */
  hold(uid: number | null, key: string, bytes: number): () => void {
    if (uid === null) return () => undefined
    this.check(uid, [{ key, bytes }])
    this.#add(uid, 0, bytes)
    let isHeld = true
    return () => {
      if (isHeld) this.#add(uid, 0, -bytes)
      isHeld = false
    }
  }

  usedBy(uid: number): Readonly<Used> {
    return this.#users.get(uid) ?? { keys: 0, bytes: 0 }
  }

  /** Nobody pays for this key any more. */
  release(key: string): void {
    const holding = this.#holdings.size === 0 ? undefined : this.#holdings.get(key)
    if (holding === undefined) return
    this.#holdings.delete(key)
    this.#add(holding.uid, -1, -holding.bytes)
  }

  #add(uid: number, keys: number, bytes: number): void {
    const before = this.usedBy(uid)
    const used = { keys: before.keys + keys, bytes: before.bytes + bytes }
    if (used.keys === 0 && used.bytes === 0) this.#users.delete(uid)
    else this.#users.set(uid, used)
  }
}

/** Four classes for each doubling, from 64 bytes on. */
function blockBytes(contentBytes: number): number {
  const bytes = BLOCK_BYTES + contentBytes
  if (bytes <= 1 << SMALLEST_LOG2) return 1 << SMALLEST_LOG2
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / step) * step
}
