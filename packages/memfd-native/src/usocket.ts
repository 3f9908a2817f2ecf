/**
 * `USocket`, as the package usocket has it, for libraries that look for that: dbus-next passes descriptors with it.
 * Installed under that name (README.md says how) this package takes usocket's place. What is not here: `UServer`, and
 * `unshift` with descriptors.
 *
 * If you read by sizes, `read(16)` and then `read(rest, null)`, you get with each message exactly its own descriptors:
 * no byte is taken from the kernel before it is asked for, but for one that says that there are some. Whoever listens
 * for `data` gets chunks.
 */
import { Buffer } from 'node:buffer'
import process from 'node:process'
import type { Duplex } from 'node:stream'
import { checkFunction, checkObject, typeProblem } from './argument.ts'
import { constants } from './constants.ts'
import { type Fd, NO_FDS, OwnedFd } from './owned-fd.ts'
import { CHUNK_BYTES, presentStream, StreamEnds } from './stream-ends.ts'
import { connect, socket } from './unix-socket.ts'
import { attempt, closeAll, dupAll } from './unix-stream.ts'

const NAME = 'memfd-native:USocket'

/** The socket of a USocket. */
export interface USocketOptions {
  /** The path of a listening socket; a leading NUL means the abstract namespace. */
  path?: string
  /** The number of a connected socket, which the USocket takes over. */
  fd?: number
}

/** What `USocket.write` accepts besides bytes. */
export interface USocketChunk {
  /** Text is UTF-8. */
  data?: Uint8Array | string
  /**
   * The descriptors, which arrive with the first byte of `data`. They stay yours; you can close them when `write`
   * returns.
   */
  fds?: readonly Fd[]
  /** Called when the chunk is sent. */
  callback?: (chunk: USocketChunk) => void
}

/** What `USocket.read` returns if you ask for descriptors. */
export interface USocketMessage {
  /** Null: none was asked for. */
  data: Buffer | null
  /** The descriptors, which you own. */
  fds: number[]
}

/** A Duplex that passes descriptors, in usocket's words. Tells `connected`. */
export interface USocket extends Duplex {
  /** @param fdCount null: as many as came until then. Null is answered when there are not as many bytes, or descriptors */
  read(size?: number, fdCount?: undefined): Buffer | null
  read(size: number | undefined, fdCount: number | null): USocketMessage | null
  /** Connects a socket that was made without options. It emits `error` if that fails. */
  connect(options: USocketOptions | string, onConnected?: () => void): void
}

/** Makes one. Owns its socket until it ends or is destroyed; what it cannot do it tells by `error`. */
export const USocket = function makeUSocket(options?: USocketOptions | string, onConnected?: () => void): USocket {
  const { stream } = new Wires()
  if (options !== undefined) stream.connect(options, onConnected)
  return stream
} as unknown as new (
  options?: USocketOptions | string,
  onConnected?: () => void,
) => USocket

/** One write, with descriptors of its own. */
interface Prepared {
  readonly given: USocketChunk
  readonly bytes: Buffer
  readonly fds: OwnedFd[]
}

/** The stream, and what it goes by. */
class Wires {
  readonly stream: USocket
  /** Null before it is connected. */
  #ends: StreamEnds | null = null
  /** That came, and nobody has asked for. */
  #fds: OwnedFd[] = []
  readonly #prepared = new Map<USocketChunk, Prepared>()
  /** The stream waits for a push. */
  #isWanted = false

  constructor() {
    const { Duplex } = process.getBuiltinModule('node:stream')
    const stream = new Duplex({
      ...{ allowHalfOpen: false, writableObjectMode: true, readableHighWaterMark: 0 },
      read: () => this.#want(),
      write: (chunk, _encoding, done) => this.#write(chunk, done),
      final: (done) => (this.#ends === null ? done() : this.#ends.finish(done)),
      destroy: (error, done) => {
        this.#close()
        done(error)
      },
    })
    presentStream('USocket', stream, () => this.#ends?.fd)
    const plain = {
      read: stream.read.bind(stream),
      write: stream.write.bind(stream) as (...args: unknown[]) => boolean,
    }
    this.stream = Object.assign(stream, {
      connect: (options: USocketOptions | string, onConnected?: () => void) => this.#connect(options, onConnected),
      read: (size?: number, fdCount?: number | null) => this.#read(plain.read, size, fdCount),
      write: (chunk: unknown, ...rest: unknown[]) => plain.write(this.#borrowed(chunk), ...rest),
    }) as USocket
  }

  #connect(options: USocketOptions | string, onConnected?: () => void): void {
    const { path, fd } = typeof options === 'string' ? { path: options } : checkedOptions(options)
    if (onConnected !== undefined) {
      checkFunction('onConnected', onConnected)
      this.stream.once('connected', onConnected)
    }
    attempt(this.stream, () => {
      this.#ends = new StreamEnds(fd === undefined ? connectedTo(path as string) : OwnedFd.adopt(fd), NAME)
      process.nextTick(() => {
        if (!this.stream.destroyed) this.stream.emit('connected')
      })
      if (this.#isWanted) this.#await()
    })
  }

  /** The stream has run out of bytes: one more says that there are some. A loop over `data` gets what there is. */
  #want(): void {
    this.#isWanted = true
    attempt(this.stream, () => this.#await())
  }

  #await(): void {
    this.#ends?.whenReadable(() => {
      if (this.#isWanted) attempt(this.stream, () => this.#pull(this.stream.readableFlowing === true ? CHUNK_BYTES : 1))
    })
  }

  /** @throws SyscallError */
  #pull(bytes: number): void {
    const chunk = this.#ends?.receive(bytes)
    if (chunk === undefined) {
      if (this.#isWanted) this.#await()
      return
    }
    this.#fds.push(...chunk.fds)
    this.#isWanted = false
    this.stream.push(chunk.data)
  }

  #read(plain: (size?: number) => unknown, size?: number, fdCount?: number | null): unknown {
    const { stream } = this
    const missing = size === undefined ? 0 : size - stream.readableLength
    if (missing > 0 && !stream.readableEnded) attempt(stream, () => this.#pull(missing))
    if (fdCount === undefined) return plain(size)
    if (fdCount !== null && this.#fds.length < fdCount) return null
    // Before more is read, because later descriptors belong to the next message.
    const fds = this.#fds.splice(0, fdCount ?? this.#fds.length)
    const data = plain(size) as Buffer | null
    if (data !== null || size === 0) return { data, fds: fds.map((fd) => fd.release()) }
    this.#fds.unshift(...fds)
    return null
  }

  /** Bytes and text unchanged; chunks with descriptors, with duplicates of them. */
  #borrowed(chunk: unknown): unknown {
    if (typeof chunk === 'string' || ArrayBuffer.isView(chunk)) return chunk
    const prepared = prepare(chunk as USocketChunk)
    if (this.stream.destroyed || this.stream.writableEnded) closeAll(prepared.fds)
    else this.#prepared.set(prepared.given, prepared)
    return prepared.given
  }

  #write(chunk: unknown, done: (error?: Error | null) => void): void {
    const ends = this.#ends
    if (ends === null) done(Object.assign(new Error('this socket is not connected'), { code: 'ENOTCONN' }))
    else if (typeof chunk === 'string' || ArrayBuffer.isView(chunk)) ends.send(bytesOf(chunk), NO_FDS, done)
    else {
      const { given, bytes, fds } = this.#taken(chunk as USocketChunk)
      ends.send(bytes, fds, (error) => {
        done(error)
        if (error === undefined || error === null) given.callback?.(given)
      })
    }
  }

  /** What `end` was given has not been prepared. */
  #taken(chunk: USocketChunk): Prepared {
    const prepared = this.#prepared.get(chunk)
    this.#prepared.delete(chunk)
    return prepared ?? prepare(chunk)
  }

  #close(): void {
    for (const { fds } of this.#prepared.values()) closeAll(fds)
    this.#prepared.clear()
    closeAll(this.#fds.splice(0))
    this.#ends?.close()
  }
}

function checkedOptions(options: USocketOptions): USocketOptions {
  checkObject('options', options)
  if (typeof options.path !== 'string' && typeof options.fd !== 'number')
    throw typeProblem('options must have a path, or the number of a descriptor')
  return options
}

function connectedTo(path: string): OwnedFd {
  const fd = socket(constants.SOCK_STREAM)
  try {
    connect(fd, path)
    return fd
  } catch (error) {
    fd.close()
    throw error
  }
}

/**
 * A new object, because the same one may be written twice. A list contains descriptors, which are sent with one byte,
 * as in usocket.
 */
function prepare(chunk: USocketChunk): Prepared {
  checkObject('chunk', chunk)
  const given = Array.isArray(chunk) ? { fds: chunk as readonly Fd[] } : { ...chunk }
  const bytes = bytesOf(given.data ?? '')
  const fds = given.fds ?? []
  if (fds.length > 0 && bytes.length === 0) throw typeProblem('data must not be empty if descriptors are sent')
  return { given, bytes, fds: dupAll(fds) }
}

function bytesOf(data: unknown): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (!ArrayBuffer.isView(data)) throw typeProblem('data must be text or a Uint8Array')
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
