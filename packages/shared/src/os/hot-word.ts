/**
 * The int32 of a mapping that is read again and again, like the value of a memory service: from the third read on it is
 * accessed where it is, and not by a copy that native code makes. Its offset was checked when it was made ready; what else
 * can change, whoever owns this says by `forget`.
 */
import type { Mapping } from 'memfd-native'

/** Equal to no offset. */
const NO_OFFSET = Number.NaN

export class HotWord {
  /** Where `read` reads, in bytes from the beginning. */
  readableAt = NO_OFFSET
  /** Where `write` writes: the same place, if the mapping is writable. */
  writableAt = NO_OFFSET
  /** Big-endian. */
  read: () => number = () => 0
  /** Big-endian; of an int32. */
  write: (value: number) => void = () => undefined
  #lastRead = NO_OFFSET

  /** A read of the int32 at `offset` went well. */
  onRead(mapping: Mapping, offset: number): void {
    if (offset === this.#lastRead) this.#prepare(mapping, offset)
    this.#lastRead = offset
  }

  /** The next access has to be checked again. */
  forget(): void {
    this.#lastRead = NO_OFFSET
    this.readableAt = NO_OFFSET
    this.writableAt = NO_OFFSET
  }

  #prepare(mapping: Mapping, offset: number): void {
    this.read = mapping.int32ReaderBE(offset)
    this.readableAt = offset
    this.writableAt = NO_OFFSET
    if (!mapping.isWritable) return
    this.write = mapping.int32WriterBE(offset)
    this.writableAt = offset
  }
}
