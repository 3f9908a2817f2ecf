/**
 * `FileDescriptor` is one shared object per descriptor: whoever holds it sees it turn invalid when any holder closes it,
 * so that "close the file, then close the reference" can never close somebody else's number.
 *
 * The functions below the class are for the rest of this package; they are not part of the public surface.
 */
import { dispose, dup, errnos, inspected, introduce, keepFromCloning, type OwnedFd, SyscallError } from 'memfd-native'
import { checkNotNull, show } from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'

let ownerOf: (fd: FileDescriptor) => OwnedFd | null
/** Not `instanceof`, which believes a proxy. */
let isFileDescriptor: (value: unknown) => value is FileDescriptor
let setOwner: (fd: FileDescriptor, owner: OwnedFd | null) => void
/** The descriptor that it will have a duplicate of when it needs one; null: it has its own, or none. */
let sourceOf: (fd: FileDescriptor) => FileDescriptor | null
let setSource: (fd: FileDescriptor, source: FileDescriptor | null) => void

/**
 * A descriptor as an object that several holders share (java.io.FileDescriptor). The classes that open descriptors make
 * it.
 */
export class FileDescriptor {
  #owner: OwnedFd | null = null
  #source: FileDescriptor | null = null

  static {
    ownerOf = (fd) => fd.#owner
    sourceOf = (fd) => fd.#source
    setSource = (fd, source) => {
      fd.#source = source
    }
    isFileDescriptor = (value): value is FileDescriptor =>
      typeof value === 'object' && value !== null && #owner in value
    setOwner = (fd, owner) => {
      fd.#owner = owner
    }
  }

  /** Of nothing. */
  constructor() {
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { fd: this.#owner?.fd ?? -1, state: this.valid() ? 'open' : 'closed' })
  }

  /** Whether this is an open descriptor. A new `FileDescriptor()` is not. */
  valid(): boolean {
    return this.#source?.valid() ?? (this.#owner !== null && !this.#owner.isClosed)
  }

  /** The number, which still belongs to this object: do not close it. -1 if not valid. */
  getInt(): number {
    if (this.valid()) duplicate(this)
    return this.#owner?.fd ?? -1
  }

  /** Closes the descriptor for every holder of this object. Idempotent. */
  close(): void {
    duplicateOthersOf(this)
    this.#source = null
    this.#owner?.close()
    this.#owner = null
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }
}

/** A FileDescriptor that owns the descriptor from now on: nobody else may close `owned`. */
export function wrapOwnedFd(owned: OwnedFd): FileDescriptor {
  const fd = new FileDescriptor()
  setOwner(fd, owned)
  return fd
}

/**
 * A look at the descriptor for the length of a call; `fd` still owns it.
 * @throws ERR_NULL_POINTER, ERR_INVALID_ARG_TYPE, EBADF when `fd` is not valid.
 */
export function borrowFd(fd: FileDescriptor): OwnedFd {
  checkFileDescriptor('fd', fd)
  duplicate(fd)
  const owner = ownerOf(fd)
  if (owner === null || owner.isClosed) throw new SyscallError('fcntl', errnos.EBADF)
  return owner
}

/**
 * Moves the descriptor out: the caller owns it, and `fd` is not valid any more, for all its holders.
 * @throws as {@link borrowFd}.
 */
export function takeOwnedFd(fd: FileDescriptor): OwnedFd {
  const owner = borrowFd(fd)
  duplicateOthersOf(fd)
  setOwner(fd, null)
  return owner
}

/** Those that will have a duplicate of a descriptor, until they have it or are forgotten. */
const waiting = new WeakMap<FileDescriptor, Set<WeakRef<FileDescriptor>>>()
const forgotten = new FinalizationRegistry<() => void>((forget) => forget())

/**
 * A duplicate of `source` that gets its own descriptor only if it is needed: when somebody asks for its number, or
 * `source` is about to be closed. If it is only written into a parcel and forgotten, as in Android's sample, it never
 * gets one.
 * @throws as {@link borrowFd}
 */
export function lateDuplicateOf(source: FileDescriptor): FileDescriptor {
  borrowFd(source)
  const fd = new FileDescriptor()
  setSource(fd, source)
  const all = waiting.get(source) ?? new Set()
  waiting.set(source, all)
  const ref = new WeakRef(fd)
  all.add(ref)
  forgotten.register(fd, () => all.delete(ref), fd)
  return fd
}

/** Whether nothing is open for it alone. */
export function ownsNothing(fd: FileDescriptor): boolean {
  return sourceOf(fd) !== null
}

/**
 * A duplicate for a parcel, which the caller owns. If `fd` has no descriptor of its own yet, it never gets one, and is
 * valid as long as its source.
 * @throws as {@link borrowFd}; EMFILE
 */
export function duplicateFd(fd: FileDescriptor): OwnedFd {
  checkFileDescriptor('fd', fd)
  const source = sourceOf(fd)
  if (source === null) return dup(borrowFd(fd))
  forget(fd, source)
  return dup(borrowFd(source))
}

/** The end of its source is its own. */
function forget(fd: FileDescriptor, source: FileDescriptor): void {
  forgotten.unregister(fd)
  const all = waiting.get(source)
  for (const ref of all ?? []) if (ref.deref() === fd) all?.delete(ref)
}

/**
 * Gives it a descriptor of its own.
 * @throws EMFILE
 */
function duplicate(fd: FileDescriptor): void {
  const source = sourceOf(fd)
  if (source === null) return
  setOwner(fd, dup(borrowFd(source)))
  setSource(fd, null)
  forgotten.unregister(fd)
}

/** Called before the source is closed or given away. Duplicates that cannot get a descriptor become invalid. */
function duplicateOthersOf(source: FileDescriptor): void {
  const all = waiting.get(source)
  if (all === undefined) return
  waiting.delete(source)
  for (const ref of all) {
    const fd = ref.deref()
    try {
      if (fd !== undefined) duplicate(fd)
    } catch {
      if (fd !== undefined) setSource(fd, null)
    }
  }
}

/** A FileDescriptor object, valid or not; null is ERR_NULL_POINTER, anything else ERR_INVALID_ARG_TYPE. */
export function checkFileDescriptor(name: string, value: unknown): asserts value is FileDescriptor {
  checkNotNull(name, value)
  if (!isFileDescriptor(value)) {
    const hint = hasOne(value) ? ': its getFileDescriptor() answers one' : ''
    throw new InvalidArgTypeError(`${name} must be a FileDescriptor, got ${show(value)}${hint}`)
  }
}

function hasOne(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'getFileDescriptor' in value
}
