/**
 * Speeds up repeated accesses of a memory file to the same place, such as a value or a record. After some accesses it
 * uses a function of the mapping that does not enter native code. The place was checked when that function was made;
 * the owner calls `forget` when anything else changes.
 */
import type { Mapping } from 'memfd-native'

/** Equal to no offset. */
const NO_OFFSET = Number.NaN
const FIRST_STREAK = 2
const noAccess = () => 0

/**
 * Whether of the accesses that go the long way several in a row are to the same place. To get ready for it takes as long as
 * dozens of accesses, so each time it has to be twice as many as the time before: who goes to and fro gets ready less and less often.
 */
class Streak {
  #offset = NO_OFFSET
  #count = NO_OFFSET
  #length = 0
  #needed = FIRST_STREAK

  /** One more access. @returns whether to get ready for the next */
  isLongEnough(offset: number, count: number): boolean {
    const isSame = offset === this.#offset && count === this.#count
    this.#offset = offset
    this.#count = count
    this.#length = isSame ? this.#length + 1 : 1
    if (this.#length < this.#needed) return false
    this.#needed *= 2
    return true
  }
}

/** An int32, big-endian. */
export class HotWord {
  /** Where `read` reads, in bytes from the beginning. */
  readableAt = NO_OFFSET
  /** Where `write` writes: the same place, if the mapping is writable. */
  writableAt = NO_OFFSET
  read: () => number = noAccess
  /** Of an int32. */
  write: (value: number) => void = noAccess
  readonly #streak = new Streak()

  /** A read of the int32 at `offset` went well. */
  onRead(mapping: Mapping, offset: number): void {
    if (!this.#streak.isLongEnough(offset, 1)) return
    this.read = mapping.int32ReaderBE(offset)
    this.readableAt = offset
    this.writableAt = NO_OFFSET
    if (!mapping.isWritable) return
    this.write = mapping.int32WriterBE(offset)
    this.writableAt = offset
  }

  /** The next access has to be checked again. */
  forget(): void {
    this.readableAt = NO_OFFSET
    this.writableAt = NO_OFFSET
    this.read = noAccess
    this.write = noAccess
  }
}

/** Bytes that are copied out. */
export class HotRange {
  #offset = NO_OFFSET
  #count = NO_OFFSET
  /** Copies the range to `target` at `targetOffset`, where there is room for it. */
  read: (target: Uint8Array, targetOffset: number) => void = noAccess
  readonly #streak = new Streak()

  /** Whether `read` reads these bytes. */
  is(offset: number, count: number): boolean {
    return offset === this.#offset && count === this.#count
  }

  /** A read of these bytes went well. */
  onRead(mapping: Mapping, offset: number, count: number): void {
    if (!this.#streak.isLongEnough(offset, count)) return
    this.read = mapping.rangeReader(offset, count)
    this.#offset = offset
    this.#count = count
  }

  /** The next access has to be checked again. */
  forget(): void {
    this.#offset = NO_OFFSET
    this.read = noAccess
  }
}
