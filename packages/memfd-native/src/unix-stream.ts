/**
 * A Unix stream socket as a Duplex of Node's that passes descriptors too. Bytes and descriptors keep their order: the descriptors of a
 * `writeWithFds` arrive with its first byte, in an event `fds` that comes before that byte.
 */
import { Buffer } from 'node:buffer'
import process from 'node:process'
import type { Duplex } from 'node:stream'
import { argumentError, checkFunction, checkInstance, checkList, typeProblem } from './argument.ts'
import { inThisContext } from './async-context.ts'
import { constants } from './constants.ts'
import { dup } from './fd.ts'
import { throwLater } from './handlers.ts'
import { type Fd, fdNumber, NO_FDS, OwnedFd } from './owned-fd.ts'
import { CHUNK_BYTES, presentStream, StreamEnds } from './stream-ends.ts'
import { typeName } from './typed-array.ts'
import { connect, MAX_FDS, socket } from './unix-socket.ts'

const NAME = 'memfd-native:UnixStream'

/** A Duplex that passes descriptors. Each direction ends by itself, as in a `net.Socket` with `allowHalfOpen`. */
export interface UnixStream extends Duplex {
  /**
   * Like `write(bytes)`, with descriptors that arrive with the first byte. They stay yours; you can close them when
   * this returns.
   * @returns as write: false if you should wait for `drain`
   * @throws TypeError (ERR_INVALID_ARG_TYPE), RangeError (ERR_OUT_OF_RANGE) no bytes, or more than 253 descriptors;
   *   SyscallError EBADF, EMFILE: nothing is written then
   */
  writeWithFds(bytes: Uint8Array, fds: readonly Fd[], callback?: (error?: Error | null) => void): boolean
  /** Keeps the process alive while the stream waits. This is the default. */
  ref(): this
  /** Lets the process end while the stream waits. */
  unref(): this
  /** Does nothing, because a Unix socket does not delay data. It exists for libraries that call it on any socket. */
  setNoDelay(): this
}

/**
 * Takes over a connected SOCK_STREAM socket, and returns a stream. It reports descriptors with `stream.on('fds', (fds:
 * number[]) => …)`: numbers, which the listener owns from then on. Those that nobody listens for are closed. It ends
 * with the error EMFILE if the process has no numbers left for descriptors that come.
 */
export function unixStream(fd: OwnedFd): UnixStream {
  checkInstance('fd', fd, OwnedFd)
  // Loaded late: most programs use no streams of this package.
  const { Duplex } = process.getBuiltinModule('node:stream')
  const ends = new StreamEnds(fd, NAME)
  /** Duplicates that go with these very chunks. */
  const promised = new Map<Uint8Array, OwnedFd[]>()
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => readInto(stream, ends),
    write: (chunk: Buffer, _encoding, done) => {
      const fds = promised.get(chunk) ?? NO_FDS
      promised.delete(chunk)
      ends.send(chunk, fds, done)
    },
    final: (done) => ends.finish(done),
    destroy: (error, done) => {
      for (const fds of promised.values()) closeAll(fds)
      ends.close()
      done(error)
    },
  }) as UnixStream
  presentStream('UnixStream', stream, () => ends.fd)
  stream.writeWithFds = (bytes, fds, callback) => {
    const chunk = ownChunk(bytes)
    checkFds(fds)
    if (callback !== undefined) checkFunction('callback', callback)
    if (!stream.destroyed && !stream.writableEnded) promised.set(chunk, dupAll(fds))
    return stream.write(chunk, callback && inThisContext(NAME, callback))
  }
  return Object.assign(stream, {
    ref: () => setRef(stream, ends, true),
    unref: () => setRef(stream, ends, false),
    setNoDelay: () => stream,
  })
}

/**
 * Connects to the socket at a path, and returns a stream. A leading NUL means the abstract namespace. It emits
 * `connect`, as net's sockets do.
 * @throws as `connect`
 */
export function connectUnixStream(path: string): UnixStream {
  const fd = socket(constants.SOCK_STREAM)
  try {
    connect(fd, path)
    const stream = unixStream(fd)
    process.nextTick(() => {
      if (!stream.destroyed) stream.emit('connect')
    })
    return stream
  } catch (error) {
    fd.close()
    throw error
  }
}

/** Reads one chunk with its descriptors; if there is none yet, when it arrives. */
function readInto(stream: Duplex, ends: StreamEnds): void {
  const chunk = attempt(stream, () => {
    const received = ends.receive(CHUNK_BYTES)
    if (received === undefined) ends.whenReadable(() => readInto(stream, ends))
    return received
  })
  if (chunk === undefined) return
  if (chunk.fds.length > 0) tell(stream, chunk.fds)
  stream.push(chunk.data)
}

/** What fails ends the stream. */
export function attempt<T>(stream: Duplex, act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    stream.destroy(error as Error)
    return undefined
  }
}

/** A new Buffer over these bytes, because a stream passes on the same object that it was given. */
function ownChunk(bytes: Uint8Array): Buffer {
  if (typeName(bytes) !== 'Uint8Array') throw typeProblem('bytes must be a Uint8Array')
  if (bytes.byteLength === 0) throw outOfRange('bytes must not be empty if descriptors are sent')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function checkFds(fds: readonly Fd[]): void {
  checkList('fds', fds)
  if (fds.length > MAX_FDS) throw outOfRange(`one write takes at most ${MAX_FDS} descriptors`)
}

function outOfRange(message: string): Error {
  return argumentError(RangeError, 'ERR_OUT_OF_RANGE', message)
}

/** All or none. */
export function dupAll(fds: readonly Fd[]): OwnedFd[] {
  const dups: OwnedFd[] = []
  try {
    for (const fd of fds) dups.push(dup(fdNumber(fd)))
    return dups
  } catch (error) {
    closeAll(dups)
    throw error
  }
}

export function closeAll(fds: readonly OwnedFd[]): void {
  for (const fd of fds) fd.close()
}

function setRef(stream: UnixStream, ends: StreamEnds, isRef: boolean): UnixStream {
  ends.setRef(isRef)
  return stream
}

/** Numbers, the listeners' own. What a listener throws is the program's: the bytes come all the same. */
function tell(stream: Duplex, fds: readonly OwnedFd[]): void {
  if (stream.listenerCount('fds') === 0) {
    closeAll(fds)
    return
  }
  const numbers = fds.map((fd) => fd.release())
  try {
    stream.emit('fds', numbers)
  } catch (error) {
    throwLater(error)
  }
}
