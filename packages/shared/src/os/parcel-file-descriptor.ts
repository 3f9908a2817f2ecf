import { constants as fsConstants } from 'node:fs'
import type { Socket } from 'node:net'
import {
  constants,
  dispose,
  dup,
  fstat,
  inspected,
  introduce,
  keepFromCloning,
  lseek,
  OwnedFd,
  pipe,
} from 'memfd-native'
import { checkBytes, checkInteger, checkNotNull, checkString, INT_MAX, INT_MIN, show } from '../util/check.ts'
import { InvalidArgTypeError, InvalidArgValueError } from '../util/errors.ts'
import { AutoCloseInputStream, AutoCloseOutputStream } from './auto-close-streams.ts'
import type { OnClose } from './close-listener.ts'
import { STATUS } from './comm-status.ts'
import { dataRegion } from './data-region.ts'
import {
  blockingSocketPair,
  type DescriptorEnd,
  listenedComm,
  listenedEnd,
  plainEnd,
  readEnd,
  reliableEnds,
} from './descriptor-ends.ts'
import { borrowFd, checkFileDescriptor, type FileDescriptor, takeOwnedFd, wrapOwnedFd } from './file-descriptor.ts'
import * as openMode from './open-mode.ts'
import {
  CONTENTS_FILE_DESCRIPTOR,
  checkSink,
  type DescriptorCreator,
  type DescriptorSink,
  type DescriptorSource,
  PARCELABLE_WRITE_RETURN_VALUE,
} from './parcel-port.ts'
import { ReliableDescriptor } from './reliable-descriptor.ts'
import { socketDescriptor } from './socket-descriptor.ts'

/** Two ends: of a pipe the reading one first, of a socket pair either. The caller closes both. */
export type DescriptorPair = [ParcelFileDescriptor, ParcelFileDescriptor]

/** Not `instanceof`, which believes a proxy. */
let isParcelFileDescriptor: (value: unknown) => value is ParcelFileDescriptor

/** The descriptor of `pfd`, the caller's from here on, as `detachFd`. For this package. */
export let detachOwned: (pfd: ParcelFileDescriptor) => OwnedFd

/**
 * An open descriptor with one owner (android.os.ParcelFileDescriptor).
 *
 * The "reliable" kind has a status channel beside the data, over which each side learns why the other one closed. After
 * `close()` or `detachFd()` the object is closed: methods throw ERR_CLOSED unless they say otherwise. If you forget to
 * close it, the garbage collector closes it for every holder of its FileDescriptor, with the process warning
 * MEMSVC_LEAK, and the peer gets the status "leaked". Descriptors are always close-on-exec. A failed system call throws
 * an error with the name of the errno as its code.
 */
export class ParcelFileDescriptor {
  /** A new file may be read by others. */
  static readonly MODE_WORLD_READABLE = openMode.MODE_WORLD_READABLE
  /** A new file may be written by others. */
  static readonly MODE_WORLD_WRITEABLE = openMode.MODE_WORLD_WRITEABLE
  /** For reading: O_RDONLY. */
  static readonly MODE_READ_ONLY = openMode.MODE_READ_ONLY
  /** For writing: O_WRONLY. */
  static readonly MODE_WRITE_ONLY = openMode.MODE_WRITE_ONLY
  /** For both: O_RDWR. */
  static readonly MODE_READ_WRITE = openMode.MODE_READ_WRITE
  /** Makes the file if there is none: O_CREAT. */
  static readonly MODE_CREATE = openMode.MODE_CREATE
  /** Empties the file: O_TRUNC. */
  static readonly MODE_TRUNCATE = openMode.MODE_TRUNCATE
  /** Every write goes to the end: O_APPEND. */
  static readonly MODE_APPEND = openMode.MODE_APPEND

  /** A stream that reads from the descriptor, and closes it when the stream is closed. */
  static readonly AutoCloseInputStream = AutoCloseInputStream
  /** A stream that writes to the descriptor, and closes it when the stream is closed. */
  static readonly AutoCloseOutputStream = AutoCloseOutputStream

  /**
   * Reads what {@link writeToParcel} wrote; an owner of its own.
   * @throws ERR_BAD_PARCEL if no descriptor is there
   */
  static readonly CREATOR: DescriptorCreator<ParcelFileDescriptor> = { createFromParcel }

  readonly #shared: ReliableDescriptor

  static {
    detachOwned = (pfd) => pfd.#shared.detach()
    isParcelFileDescriptor = (value): value is ParcelFileDescriptor =>
      typeof value === 'object' && value !== null && #shared in value
  }

  /** Another view of `wrapped`: the same FileDescriptor object, closed together. */
  constructor(wrapped: ParcelFileDescriptor)
  /** Takes ownership of `fd`, and of the end of a status channel. @internal */
  constructor(fd: FileDescriptor, comm?: FileDescriptor | null)
  constructor(source: ParcelFileDescriptor | FileDescriptor, comm: FileDescriptor | null = null) {
    checkNotNull('FileDescriptor', source)
    if (isParcelFileDescriptor(source)) {
      this.#shared = source.#shared
    } else {
      checkFileDescriptor('fd', source)
      this.#shared = new ReliableDescriptor(source, comm)
    }
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { fd: this.#shared.fd.getInt(), state: this.#shared.fd.valid() ? 'open' : 'closed' })
  }

  /**
   * Opens a file (open(2)). A new file gets the permissions 0770 and the world bits, minus the umask.
   * @param mode MODE_READ_ONLY, MODE_WRITE_ONLY or MODE_READ_WRITE, with any of the other bits.
   * @param onClose called once when the holder of the descriptor closes it or dies, also in another process. It keeps
   *   this process alive until then.
   * @throws ERR_INVALID_ARG_VALUE without an access mode, or for a null listener; ENOENT, EACCES and so on
   */
  static open(path: string, mode: number, onClose?: OnClose): ParcelFileDescriptor {
    if (onClose === undefined) return own(openMode.openFile(path, mode))
    checkListener(onClose)
    return new ParcelFileDescriptor(...listenedEnd(openMode.openFile(path, mode), onClose))
  }

  /**
   * Moves the descriptor of `pfd` to a new object that reports its closing, as in {@link open}. `pfd` is closed, and
   * its peer gets "detached".
   */
  static wrap(pfd: ParcelFileDescriptor, onClose: OnClose): ParcelFileDescriptor {
    checkListener(onClose)
    checkParcelFileDescriptor(pfd)
    pfd.#shared.checkOpen()
    borrowFd(pfd.#shared.fd) // it may have to get its own
    const comm = listenedComm(onClose)
    return new ParcelFileDescriptor(wrapOwnedFd(pfd.#shared.detach()), comm)
  }

  /**
   * Duplicates a descriptor number, which stays yours (F_DUPFD_CLOEXEC).
   * @throws EBADF
   */
  static fromFd(fd: number): ParcelFileDescriptor {
    checkInteger('fd', fd, INT_MIN, INT_MAX)
    return own(dup(fd))
  }

  /**
   * Takes ownership of a descriptor number: do not close it yourself any more. In a worker thread, do not adopt a
   * number from `fs.open`, because the worker closes it when it ends; use `fromFd` there.
   * @throws EBADF if it is not open
   */
  static adoptFd(fd: number): ParcelFileDescriptor {
    checkInteger('fd', fd, 0, INT_MAX)
    return own(OwnedFd.adopt(fd))
  }

  /**
   * A duplicate, which shares the file offset. `fd` still belongs to its owner.
   * @throws EBADF if `fd` is not valid
   */
  static dup(fd: FileDescriptor): ParcelFileDescriptor {
    return own(dup(borrowFd(fd)))
  }

  /**
   * A duplicate of the descriptor of a TCP or Unix socket. It is non-blocking, as Node made it.
   * @throws ERR_ILLEGAL_STATE if the socket has none, because it is not connected yet, or destroyed
   */
  static fromSocket(socket: Socket): ParcelFileDescriptor {
    return own(dup(socketDescriptor(socket)))
  }

  /**
   * A copy of the bytes in a sealed region, as a read-only descriptor; null for null.
   * @param name the name that /proc/PID/maps shows; null is "none"
   * @throws ERR_INVALID_ARG_VALUE for no bytes, because a region has at least one
   */
  static fromData(bytes: Uint8Array | null, name: string | null): ParcelFileDescriptor | null {
    if (bytes === null) return null
    checkBytes('bytes', bytes)
    return own(dataRegion(bytes, name))
  }

  /**
   * A pipe (pipe2(2)).
   * @returns the end to read from, and the end to write to
   */
  static createPipe(): DescriptorPair {
    return unreliablePair(pipe())
  }

  /** A pipe whose ends tell each other how they ended. */
  static createReliablePipe(): DescriptorPair {
    return pairOf(reliableEnds(pipe()))
  }

  /** Two connected, blocking SOCK_STREAM sockets (socketpair(2)). */
  static createSocketPair(): DescriptorPair {
    return unreliablePair(blockingSocketPair())
  }

  /** Two connected sockets that tell each other how they ended. */
  static createReliableSocketPair(): DescriptorPair {
    return pairOf(reliableEnds(blockingSocketPair()))
  }

  /** The mode bits of "r", "w", "wt", "wa", "rw", "rwt" or "rwa". @throws ERR_INVALID_ARG_VALUE. */
  static parseMode(mode: string): number {
    return openMode.parseMode(mode)
  }

  /** A duplicate with an owner of its own. It shares the file offset, and has no status channel. */
  dup(): ParcelFileDescriptor {
    this.#shared.checkOpen()
    return ParcelFileDescriptor.dup(this.#shared.fd)
  }

  /**
   * The descriptor object that all holders share. It still belongs to this object. Never throws; after close() it is
   * not valid.
   */
  getFileDescriptor(): FileDescriptor {
    return this.#shared.fd
  }

  /** The descriptor number, which still belongs to this object: do not close it. */
  getFd(): number {
    this.#shared.checkOpen()
    return this.#shared.fd.getInt()
  }

  /** Gives you the descriptor number: you must close it. This object is closed, and its peer gets "detached". */
  detachFd(): number {
    return this.#shared.detach().release()
  }

  /** The size of the file or region in bytes; -1 for anything else (a pipe, a socket). */
  getStatSize(): number {
    const fd = this.#shared.fd
    if (!fd.valid()) return -1
    const { mode, size } = fstat(borrowFd(fd))
    const type = mode & fsConstants.S_IFMT
    return type === fsConstants.S_IFREG || type === fsConstants.S_IFLNK ? size : -1
  }

  /**
   * Sets the file offset, in bytes from the beginning (lseek(2)).
   * @returns the offset
   * @throws ESPIPE for a pipe or a socket
   */
  seekTo(offset: number): number {
    checkInteger('offset', offset, 0, Number.MAX_SAFE_INTEGER)
    this.#shared.checkOpen()
    return lseek(borrowFd(this.#shared.fd), offset, constants.SEEK_SET)
  }

  /** Whether there is a status channel. Never throws: false after close(). */
  canDetectErrors(): boolean {
    return this.#shared.comm?.isOpen ?? false
  }

  /**
   * Throws the error that the peer has reported. Does nothing if it has reported nothing yet, or a normal close, or if
   * there is no status channel. The result is remembered, and stays the same after close().
   * @throws ERR_REMOTE_ERROR after the peer called closeWithError, died or leaked it; ERR_DETACHED
   */
  checkError(): void {
    this.#shared.comm?.check()
  }

  /** Closes the descriptor for every holder of its FileDescriptor. Idempotent. */
  close(): void {
    this.#shared.close(STATUS.OK)
  }

  /**
   * Closes, and makes the peer's checkError throw this message, cut to 1,020 bytes of UTF-8. Idempotent.
   * @throws ERR_INVALID_ARG_VALUE for null
   */
  closeWithError(message: string): void {
    if (message === null) throw new InvalidArgValueError('Message must not be null')
    checkString('message', message)
    this.#shared.close(STATUS.ERROR, message)
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /** Says that a descriptor is among the contents. Never throws. */
  describeContents(): number {
    return CONTENTS_FILE_DESCRIPTOR
  }

  /**
   * Writes duplicates: the int hasComm, the descriptor, and the descriptor of the status channel if there is one. With
   * PARCELABLE_WRITE_RETURN_VALUE it closes this object afterwards, even on failure. The peer gets no status for that,
   * because the reader reports it now.
   */
  writeToParcel(parcel: DescriptorSink, flags: number): void {
    const { fd, comm } = this.#shared
    this.#shared.checkOpen()
    checkSink(parcel)
    const isGivenAway = typeof flags === 'number' && (flags & PARCELABLE_WRITE_RETURN_VALUE) !== 0
    try {
      parcel.writeInt(comm === null ? 0 : 1)
      // Closed below in any case, so the parcel may as well have it itself. Not from under those who share the object.
      if (isGivenAway) parcel.writeOwnedFd(takeOwnedFd(fd))
      else parcel.writeFileDescriptor(fd)
      if (comm !== null) parcel.writeFileDescriptor(comm.descriptor)
    } finally {
      if (isGivenAway) this.#shared.close(STATUS.SILENCE)
    }
  }

  /** A text for people with the descriptor number; -1 if closed. */
  toString(): string {
    return `{ParcelFileDescriptor: FileDescriptor[${this.#shared.fd.getInt()}]}`
  }
}

/** The owner of `owned` from here on. For this package. */
export function own(owned: OwnedFd): ParcelFileDescriptor {
  return new ParcelFileDescriptor(...plainEnd(owned))
}

function pairOf([one, other]: [DescriptorEnd, DescriptorEnd]): DescriptorPair {
  return [new ParcelFileDescriptor(...one), new ParcelFileDescriptor(...other)]
}

function unreliablePair([one, other]: [OwnedFd, OwnedFd]): DescriptorPair {
  return [own(one), own(other)]
}

/** Like `CREATOR.createFromParcel`, but takes the descriptors out of the parcel, which must not be read again. */
export function takeFromParcel(parcel: DescriptorSource): ParcelFileDescriptor {
  return new ParcelFileDescriptor(...readEnd(parcel, (source) => source.takeOwnedFd()))
}

function createFromParcel(parcel: DescriptorSource): ParcelFileDescriptor {
  return new ParcelFileDescriptor(...readEnd(parcel, (source) => source.readOwnedFd()))
}

function checkListener(onClose: OnClose): void {
  if (onClose === null) throw new InvalidArgValueError('Listener must not be null')
  if (typeof onClose !== 'function') throw new InvalidArgTypeError(`onClose must be a function, got ${show(onClose)}`)
}

function checkParcelFileDescriptor(pfd: ParcelFileDescriptor): void {
  checkNotNull('pfd', pfd)
  if (!isParcelFileDescriptor(pfd)) {
    throw new InvalidArgTypeError(`pfd must be a ParcelFileDescriptor, got ${show(pfd)}`)
  }
}
