/**
 * The objects of one parcel: which descriptor or binder belongs to which 24 bytes of the data. Ascending by offset,
 * never overlapping. The table owns its descriptors and closes what it drops.
 */
import { constants } from 'node:os'
import { dup, type OwnedFd, SyscallError } from 'memfd-native'
import type { CarriedBinder } from './carried-binder.ts'

/** Bytes that an object takes in the data. Android: sizeof(flat_binder_object) on 64 bits. */
export const OBJECT_BYTES = 24

/** A descriptor; null when it was taken out. */
export interface DescriptorContents {
  readonly kind: 'fd'
  fd: OwnedFd | null
}

/** What an object stands for. */
export type ObjectContents = DescriptorContents | { readonly kind: 'binder'; readonly binder: CarriedBinder }

/** An object and where its 24 bytes begin. */
export type ParcelObject = ObjectContents & { readonly offset: number }

export class ObjectTable {
  readonly #entries: ParcelObject[]

  /** Takes the array over, and the descriptors in it. It is ascending already. */
  constructor(entries: ParcelObject[] = []) {
    this.#entries = entries
  }

  get entries(): readonly ParcelObject[] {
    return this.#entries
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Takes over an object whose bytes overlap no other's. */
  add(entry: ParcelObject): void {
    this.#entries.splice(this.#firstEndingAfter(entry.offset), 0, entry)
  }

  /** The object that begins exactly there. */
  at(offset: number): ParcelObject | undefined {
    const entry = this.#entries[this.#firstEndingAfter(offset)]
    return entry?.offset === offset ? entry : undefined
  }

  /** Whether any byte from `start` up to `end` belongs to an object. */
  overlaps(start: number, end: number): boolean {
    const entry = this.#entries[this.#firstEndingAfter(start)]
    return entry !== undefined && entry.offset < end
  }

  /** The objects that lie from `start` up to `end` as a whole. */
  within(start: number, end: number): ParcelObject[] {
    return this.#entries.filter(({ offset }) => offset >= start && offset + OBJECT_BYTES <= end)
  }

  /** Drops what does not lie below `size` as a whole. */
  truncate(size: number): void {
    while (true) {
      const last = this.#entries.at(-1)
      if (last === undefined || last.offset + OBJECT_BYTES <= size) return
      this.#entries.pop()
      closeContents(last)
    }
  }

  /** The index of the first object that ends after `offset`: the one over it, or the next. */
  #firstEndingAfter(offset: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#entries[middle] as ParcelObject
      if (entry.offset + OBJECT_BYTES > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** The same once more: a descriptor of its own, or the same binder. */
export function copyContents(contents: ObjectContents): ObjectContents {
  if (contents.kind === 'fd') return { kind: 'fd', fd: dup(descriptorOf(contents)) }
  return { kind: 'binder', binder: contents.binder }
}

/** A look at the descriptor, which the table still owns. @throws EBADF when it was taken out */
export function descriptorOf({ fd }: DescriptorContents): OwnedFd {
  if (fd === null) throw new SyscallError('fcntl', -constants.errno.EBADF)
  return fd
}

/** Takes the descriptor out: it is the caller's from here on. @throws EBADF when it was taken before */
export function takeDescriptor(contents: DescriptorContents): OwnedFd {
  const fd = descriptorOf(contents)
  contents.fd = null
  return fd
}

/** Closes the descriptor of an object that nobody will hold any more. */
export function closeContents(contents: ObjectContents): void {
  if (contents.kind === 'fd') contents.fd?.close()
}
