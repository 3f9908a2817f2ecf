/**
 * The streams of a MemoryFile, each with a cursor of its own. They own nothing: closing one leaves the file as it is.
 * Unlike Android's, whose `close()` does nothing, a closed stream refuses further use; and `read()` answers 0 to 255,
 * where Android's answers a signed byte and so confuses 255 with the end.
 */
import { Buffer } from 'node:buffer'
import type { Readable, Writable } from 'node:stream'
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { checkBytes, checkInteger, checkRange, INT_MAX, INT_MIN } from '../util/check.ts'
import { ClosedError } from '../util/errors.ts'
import { nodeStream } from '../util/late-modules.ts'

/** What the streams need of a MemoryFile. */
export interface MemoryFileAccess {
  /** In bytes. */
  length(): number
  /** Copies `count` bytes from `srcOffset` of the file to `destOffset` of the buffer, and answers `count`. */
  readBytes(buffer: Uint8Array, srcOffset: number, destOffset: number, count: number): number
  /** Copies `count` bytes from `srcOffset` of the buffer to `destOffset` of the file. */
  writeBytes(buffer: Uint8Array, srcOffset: number, destOffset: number, count: number): void
}

/** Reads a MemoryFile from its beginning (MemoryFile.MemoryInputStream). */
export class MemoryInputStream {
  readonly #file: MemoryFileAccess
  #position = 0
  #mark = 0
  #isClosed = false

  /** @internal By MemoryFile.getInputStream(). */
  constructor(file: MemoryFileAccess) {
    this.#file = file
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      position: this.#position,
      length: this.#file.length(),
      state: this.#isClosed ? 'closed' : 'open',
    })
  }

  /**
   * The next byte, 0 to 255, or -1 at the end.
   * @throws ERR_CLOSED; otherwise as MemoryFile.readBytes, and then the position does not move
   */
  read(): number
  /**
   * Reads up to `count` bytes to `offset` of the buffer, and returns how many; -1 at the end, also for a count of 0.
   * @throws ERR_CLOSED; ERR_OUT_OF_RANGE; otherwise as MemoryFile.readBytes, and then the position does not move
   */
  read(buffer: Uint8Array, offset?: number, count?: number): number
  read(buffer?: Uint8Array, offset = 0, count?: number): number {
    this.#checkOpen()
    return buffer === undefined ? this.#readByte() : this.#readInto(buffer, offset, count)
  }

  /**
   * Moves the position by `n` bytes, but not beyond the end, and returns by how many. A negative `n` moves back, even
   * to before the beginning (as in Android); reading there is ERR_OUT_OF_RANGE.
   * @throws ERR_CLOSED, ERR_OUT_OF_RANGE
   */
  skip(n: number): number {
    this.#checkOpen()
    checkInteger('n', n, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    const moved = Math.min(n, this.#file.length() - this.#position) || 0 // not -0
    this.#position += moved
    return moved
  }

  /**
   * The number of bytes from the position to the end.
   * @throws ERR_CLOSED
   */
  available(): number {
    this.#checkOpen()
    return Math.max(0, this.#file.length() - this.#position)
  }

  /** Always true. */
  markSupported(): true {
    return true
  }

  /**
   * Remembers the position for `reset()`.
   * @param readLimit ignored, because nothing is buffered.
   * @throws ERR_CLOSED
   */
  mark(readLimit: number): void {
    this.#checkOpen()
    checkInteger('readLimit', readLimit, INT_MIN, INT_MAX)
    this.#mark = this.#position
  }

  /**
   * Moves the position to the last `mark()`, or to the beginning.
   * @throws ERR_CLOSED
   */
  reset(): void {
    this.#checkOpen()
    this.#position = this.#mark
  }

  /** Closes the stream, but not the file. Idempotent. */
  close(): void {
    this.#isClosed = true
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /** The rest of the file as a Node stream, which moves this position. It fails with the error that `read` throws. */
  toReadable(): Readable {
    const input = this
    return new (nodeStream().Readable)({
      read(size) {
        try {
          const chunk = Buffer.alloc(Math.min(size, input.available()))
          this.push(input.read(chunk) < 0 ? null : chunk)
        } catch (error) {
          this.destroy(error as Error)
        }
      },
    })
  }

  #readByte(): number {
    const byte = Buffer.alloc(1)
    return this.#readInto(byte, 0, 1) < 0 ? -1 : byte.readUInt8()
  }

  #readInto(buffer: Uint8Array, offset: number, count: number | undefined): number {
    checkBytes('buffer', buffer)
    const wanted = count === undefined ? buffer.length - offset : count
    checkRange('offset', offset, wanted, buffer.length)
    const there = Math.min(wanted, this.available())
    if (there < 1) return -1
    this.#position += this.#file.readBytes(buffer, this.#position, offset, there)
    return there
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError('the stream is closed')
  }
}

/** Writes a MemoryFile from its beginning (MemoryFile.MemoryOutputStream). */
export class MemoryOutputStream {
  readonly #file: MemoryFileAccess
  #position = 0
  #isClosed = false

  /** @internal By MemoryFile.getOutputStream(). */
  constructor(file: MemoryFileAccess) {
    this.#file = file
    keepFromCloning(this)
  }

  /**
   * Writes the low 8 bits of an int.
   * @throws ERR_CLOSED; ERR_OUT_OF_RANGE for a value that is not an int, or if the file is full; otherwise as
   *   MemoryFile.writeBytes
   */
  write(byte: number): void
  /**
   * Writes `count` bytes from `offset` of the buffer. If they do not all fit, nothing is written and the position does
   * not move.
   * @throws ERR_CLOSED; ERR_OUT_OF_RANGE; otherwise as MemoryFile.writeBytes
   */
  write(buffer: Uint8Array, offset?: number, count?: number): void
  write(data: number | Uint8Array, offset = 0, count?: number): void {
    if (this.#isClosed) throw new ClosedError('the stream is closed')
    if (typeof data === 'number') this.#writeByte(data)
    else this.#writeFrom(data, offset, count)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      position: this.#position,
      length: this.#file.length(),
      state: this.#isClosed ? 'closed' : 'open',
    })
  }

  /**
   * Does nothing: a write is in the memory when it returns.
   * @throws ERR_CLOSED
   */
  flush(): void {
    if (this.#isClosed) throw new ClosedError('the stream is closed')
  }

  /** Closes the stream, but not the file. Idempotent. */
  close(): void {
    this.#isClosed = true
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  /**
   * A Node stream that writes from this position. If a chunk does not fit, the stream fails and nothing of the chunk is
   * written.
   */
  toWritable(): Writable {
    return new (nodeStream().Writable)({
      write: (chunk: Buffer, _encoding, done) => {
        try {
          this.write(chunk)
          done()
        } catch (error) {
          done(error as Error)
        }
      },
    })
  }

  #writeByte(byte: number): void {
    checkInteger('byte', byte, INT_MIN, INT_MAX)
    this.#writeFrom(Uint8Array.of(byte), 0, 1)
  }

  #writeFrom(buffer: Uint8Array, offset: number, count: number | undefined): void {
    checkBytes('buffer', buffer)
    const all = count === undefined ? buffer.length - offset : count
    this.#file.writeBytes(buffer, offset, this.#position, all)
    this.#position += all
  }
}
