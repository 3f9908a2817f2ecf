/**
 * `FileDescriptor` is one shared object per descriptor: whoever holds it sees it turn invalid when any holder closes it,
 * so that "close the file, then close the reference" can never close somebody else's number.
 *
 * The functions below the class are for the rest of this package; they are not part of the public surface.
 */
import { dispose, errnos, inspected, introduce, keepFromCloning, type OwnedFd, SyscallError } from 'memfd-native'
import { checkNotNull, show } from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'

let ownerOf: (fd: FileDescriptor) => OwnedFd | null
/** Not `instanceof`, which believes a proxy. */
let isFileDescriptor: (value: unknown) => value is FileDescriptor
let setOwner: (fd: FileDescriptor, owner: OwnedFd | null) => void

/** A descriptor as an object (java.io.FileDescriptor). Made by the classes that open descriptors. */
export class FileDescriptor {
  #owner: OwnedFd | null = null

  static {
    ownerOf = (fd) => fd.#owner
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

  /** For console.log: what it is, in one line. */
  [inspected](): string {
    return introduce(this, { fd: this.getInt(), state: this.valid() ? 'open' : 'closed' })
  }

  /** Whether it stands for an open descriptor. A fresh `new FileDescriptor()` does not. */
  valid(): boolean {
    return this.#owner !== null && !this.#owner.isClosed
  }

  /** The number, a look at it: do not close it. -1 when not valid. */
  getInt(): number {
    return this.#owner?.fd ?? -1
  }

  /** Closes the descriptor for every holder of this object. Again is harmless. */
  close(): void {
    this.#owner?.close()
    this.#owner = null
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }
}

/** A FileDescriptor that owns the descriptor from here on: nobody else closes `owned` any more. */
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
  setOwner(fd, null)
  return owner
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
