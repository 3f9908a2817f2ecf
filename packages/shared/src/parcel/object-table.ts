/**
 * The objects of one parcel: which descriptor or binder belongs to which 24 bytes of the data. Ascending by offset,
 * never overlapping. The table owns its descriptors and closes what it drops.
 */
import { dup, errnos, type OwnedFd, SyscallError } from 'memfd-native'
import type { CarriedBinder } from './carried-binder.ts'

/** Bytes that an object takes in the data. Android: sizeof(flat_binder_object) on 64 bits. */
export const OBJECT_BYTES = 24

/** A descriptor; null when it was taken out. */
export interface DescriptorContents {
  readonly kind: 'fd'
  fd: OwnedFd | null
}

/** An object in a parcel: a descriptor or a binder. */
export type ObjectContents = DescriptorContents | { readonly kind: 'binder'; readonly binder: CarriedBinder }

/** A binder that came from another process: a number, until somebody reads it. */
export interface ReceivedBinder {
  readonly kind: 'received'
  readonly number: number
  readonly acceptsFileDescriptors: boolean
  /** Once it has been read. */
  binder: CarriedBinder | null
}

/** An object and where its 24 bytes begin. */
export type ParcelObject = WrittenObject | (ReceivedBinder & { readonly offset: number })
export type WrittenObject = ObjectContents & { readonly offset: number }

/** Where the binders of a parcel came from. */
export interface BinderSource {
  /** The binder behind the number, made now; asked once for each. */
  open(received: ReceivedBinder): CarriedBinder
  /** These will not be opened: among them descriptors, and binders that were. */
  releaseUnread(objects: readonly ParcelObject[]): void
}

export class ObjectTable {
  readonly #entries: ParcelObject[]
  readonly #source: BinderSource | null

  /**
   * Takes the array over, and the descriptors in it. It is ascending already.
   * @param source of the received binders in it
   */
  constructor(entries: ParcelObject[] = [], source: BinderSource | null = null) {
    this.#entries = entries
    this.#source = source
  }

  get entries(): readonly ParcelObject[] {
    return this.#entries
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Whether binders of another process are in it, or were. */
  get hasSource(): boolean {
    return this.#source !== null
  }

  /** All, the received ones opened. */
  get written(): readonly WrittenObject[] {
    if (this.#source === null) return this.#entries as WrittenObject[] // without one nothing was received
    return this.writtenWithin(0, Number.POSITIVE_INFINITY)
  }

  /** The objects that lie from `start` up to `end` as a whole, the received ones opened. */
  writtenWithin(start: number, end: number): WrittenObject[] {
    return this.within(start, end).map((entry) => (entry.kind === 'received' ? this.#opened(entry) : entry))
  }

  /** The binder of an object of this table; a received one is opened, the first time. null: it is a descriptor. */
  binderOf(entry: ParcelObject): CarriedBinder | null {
    if (entry.kind === 'fd') return null
    if (entry.kind === 'received') entry.binder ??= (this.#source as BinderSource).open(entry)
    return entry.binder
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
    let left = this.#entries.length
    while (left > 0 && (this.#entries[left - 1] as ParcelObject).offset + OBJECT_BYTES > size) left -= 1
    if (left < this.#entries.length) dropObjects(this.#entries.splice(left), this.#source)
  }

  /**
   * If its owner forgets to release it, the garbage collector releases the binders. The descriptors have owners that do
   * the same.
   */
  guard(): void {
    if (this.#source !== null) forgotten.register(this, { entries: this.#entries, source: this.#source })
  }

  #opened(entry: ParcelObject): WrittenObject {
    return { offset: entry.offset, kind: 'binder', binder: this.binderOf(entry) as CarriedBinder }
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

/** A copy of the object: a duplicate of the descriptor, or the same binder. */
export function copyContents(contents: ObjectContents): ObjectContents {
  if (contents.kind === 'fd') return { kind: 'fd', fd: dup(descriptorOf(contents)) }
  return { kind: 'binder', binder: contents.binder }
}

/** A look at the descriptor, which the table still owns. @throws EBADF when it was taken out */
export function descriptorOf({ fd }: DescriptorContents): OwnedFd {
  if (fd === null) throw new SyscallError('fcntl', errnos.EBADF)
  return fd
}

/** Takes the descriptor out: it is the caller's from here on. @throws EBADF when it was taken before */
export function takeDescriptor(contents: DescriptorContents): OwnedFd {
  const fd = descriptorOf(contents)
  contents.fd = null
  return fd
}

/** The unread binders of parcels that were collected and not recycled. An entry does not lead to its table. */
const forgotten = new FinalizationRegistry<{ entries: ParcelObject[]; source: BinderSource }>(({ entries, source }) =>
  source.releaseUnread(entries.splice(0)),
)

/** Closes the descriptors of objects that nobody will hold any more, and gives the binders back that nobody has read. */
export function dropObjects(objects: readonly ParcelObject[], source: BinderSource | null): void {
  for (const object of objects) if (object.kind === 'fd') object.fd?.close()
  source?.releaseUnread(objects)
}

/** Closes the descriptor of an object that nobody will hold any more. */
export function closeContents(contents: ObjectContents): void {
  if (contents.kind === 'fd') contents.fd?.close()
}
