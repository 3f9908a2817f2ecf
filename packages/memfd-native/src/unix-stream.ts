/**
 * A Unix stream socket as a Duplex of Node's that passes descriptors too. Bytes and descriptors keep their order: the descriptors of a
 * `writeWithFds` arrive with its first byte, in an event `fds` that comes before that byte.
 */
import type { Buffer } from 'node:buffer'
import process from 'node:process'
import type { Duplex } from 'node:stream'
import { argumentError, checkInstance, checkList, typeProblem } from './argument.ts'
import { constants } from './constants.ts'
import { dup } from './fd.ts'
import { FdWatcher } from './fd-watcher.ts'
import { type Fd, fdNumber, NO_FDS, OwnedFd } from './owned-fd.ts'
import type { SyscallError } from './syscall-error.ts'
import { connect, recvmsg, SHUT_WR, sendmsg, shutdown, socket } from './unix-socket.ts'

/** Of one read. */
const CHUNK_BYTES = 64 * 1024
const MAX_FDS = 253

/** A Duplex that passes descriptors. Ends as `net.Socket` with `allowHalfOpen`: each direction by itself. */
export interface UnixStream extends Duplex {
  /**
   * As `write(bytes)`, and the descriptors come along with the first byte. Borrowed: they may be closed when this returns.
   * @returns as write: false when it is better to wait for `drain`
   * @throws TypeError (ERR_INVALID_ARG_TYPE), RangeError (ERR_OUT_OF_RANGE) no bytes, or more than 253 descriptors; SyscallError EBADF,
   *   EMFILE: nothing is written then
   */
  writeWithFds(bytes: Uint8Array, fds: readonly Fd[], callback?: (error?: Error | null) => void): boolean
}

/**
 * Takes a connected SOCK_STREAM socket over. The stream tells of descriptors by `stream.on('fds', (fds: number[]) => …)`: numbers, which
 * the listener owns from then on. Those that nobody listens for are closed.
 */
export function unixStream(fd: OwnedFd): UnixStream {
  checkInstance('fd', fd, OwnedFd)
  // Loaded late: most programs use no streams of this package.
  const { Duplex } = process.getBuiltinModule('node:stream')
  const ends = new Ends(fd)
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => ends.read(stream),
    write: (chunk: Buffer, _encoding, done) => ends.write(chunk, done),
    final: (done) => ends.finish(done),
    destroy: (error, done) => {
      ends.close()
      done(error)
    },
  }) as UnixStream
  stream.writeWithFds = (bytes, fds, callback) => {
    ends.promise(bytes, fds)
    return stream.write(bytes, callback)
  }
  return stream
}

/** A stream to the socket at a path; a leading NUL means the abstract namespace. @throws as `connect` */
export function connectUnixStream(path: string): UnixStream {
  const fd = socket(constants.SOCK_STREAM)
  try {
    connect(fd, path)
    return unixStream(fd)
  } catch (error) {
    fd.close()
    throw error
  }
}

/** Both directions of the socket. */
class Ends {
  readonly #fd: OwnedFd
  /** Duplicates that go with the next chunks that are those very bytes. */
  readonly #promised: { bytes: Uint8Array; fds: OwnedFd[] }[] = []
  #reading: FdWatcher | null = null
  #writing: FdWatcher | null = null

  constructor(fd: OwnedFd) {
    this.#fd = fd
  }

  promise(bytes: Uint8Array, fds: readonly Fd[]): void {
    checkList('fds', fds)
    if (!ArrayBuffer.isView(bytes)) throw typeProblem('bytes must be a Uint8Array')
    if (bytes.length === 0 || fds.length > MAX_FDS)
      throw argumentError(
        RangeError,
        'ERR_OUT_OF_RANGE',
        `descriptors need a byte to go with, and are ${MAX_FDS} at most`,
      )
    const dups: OwnedFd[] = []
    try {
      for (const fd of fds) dups.push(dup(fdNumber(fd)))
    } catch (error) {
      for (const fd of dups) fd.close()
      throw error
    }
    this.#promised.push({ bytes, fds: dups })
  }

  /** One chunk, with what comes along; if there is none yet, when it comes. */
  read(stream: Duplex): void {
    try {
      const { data, fds } = recvmsg(this.#fd, CHUNK_BYTES, MAX_FDS)
      if (fds.length > 0) tell(stream, fds)
      stream.push(data.length === 0 ? null : data)
    } catch (error) {
      if ((error as SyscallError).code === 'ECONNRESET') stream.push(null)
      else if ((error as SyscallError).code !== 'EAGAIN') stream.destroy(error as Error)
      else this.#reading ??= new FdWatcher(this.#fd, 'readable', () => this.#readAgain(stream))
    }
  }

  #readAgain(stream: Duplex): void {
    this.#reading?.close()
    this.#reading = null
    this.read(stream)
  }

  write(chunk: Buffer, done: (error?: Error | null) => void): void {
    const [next] = this.#promised
    const isNext = next !== undefined && isSameMemory(next.bytes, chunk)
    if (isNext) this.#promised.shift()
    this.#send(chunk, isNext ? next.fds : NO_FDS, done)
  }

  #send(chunk: Buffer, fds: readonly OwnedFd[], done: (error?: Error | null) => void): void {
    let rest = chunk
    let toSend = fds
    try {
      while (rest.length > 0) {
        rest = rest.subarray(sendmsg(this.#fd, rest, toSend))
        for (const fd of toSend) fd.close()
        toSend = NO_FDS
      }
    } catch (error) {
      if ((error as SyscallError).code === 'EAGAIN') {
        this.#writing = new FdWatcher(this.#fd, 'writable', () => {
          this.#writing?.close()
          this.#writing = null
          this.#send(rest, toSend, done)
        })
        return
      }
      for (const fd of toSend) fd.close()
      done(error as Error)
      return
    }
    done()
  }

  /** The peer reads to the end; this side goes on reading. */
  finish(done: (error?: Error | null) => void): void {
    try {
      shutdown(this.#fd, SHUT_WR)
      done()
    } catch (error) {
      done((error as SyscallError).code === 'ENOTCONN' ? null : (error as Error))
    }
  }

  close(): void {
    this.#reading?.close()
    this.#writing?.close()
    for (const { fds } of this.#promised.splice(0)) for (const fd of fds) fd.close()
    this.#fd.close()
  }
}

/** A stream hands on the chunk that it was given, or a Buffer over the same memory. */
function isSameMemory(bytes: Uint8Array, chunk: Buffer): boolean {
  return bytes.buffer === chunk.buffer && bytes.byteOffset === chunk.byteOffset && bytes.length === chunk.length
}

/** Numbers, the listeners' own. */
function tell(stream: Duplex, fds: readonly OwnedFd[]): void {
  if (stream.listenerCount('fds') === 0) for (const fd of fds) fd.close()
  else
    stream.emit(
      'fds',
      fds.map((fd) => fd.release()),
    )
}
