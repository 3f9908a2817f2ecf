/**
 * Synchronous streams over a ParcelFileDescriptor that close it with themselves (AutoCloseInputStream and
 * AutoCloseOutputStream). They block the thread as fs.readSync and fs.writeSync do; a non-blocking descriptor answers
 * EAGAIN instead.
 */

import { readSync, writeSync } from 'node:fs'
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { checkBytes, checkInteger, checkNotNull, INT_MAX, INT_MIN, show } from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'

/** What the streams need of a ParcelFileDescriptor. */
export interface AutoCloseSource {
  getFd(): number
  canDetectErrors(): boolean
  checkError(): void
  close(): void
}

const END_OF_FILE = -1

/** Reads at the descriptor's own offset. Every method throws ERR_CLOSED once the descriptor is closed. */
export class AutoCloseInputStream {
  readonly #source: AutoCloseSource

  /** Takes the ParcelFileDescriptor over: close the stream, not the descriptor. */
  constructor(pfd: AutoCloseSource) {
    checkSource(pfd)
    this.#source = pfd
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: stateOf(this.#source) })
  }

  /**
   * The next byte, 0 to 255; -1 at the end of the data.
   * @throws at the end, what the other side of a reliable pipe reported (ERR_REMOTE_ERROR, ERR_DETACHED); the errno's code.
   */
  read(): number
  /**
   * Reads up to `count` bytes to `buffer` from `offset` on; by default to the whole buffer.
   * @returns the number of bytes read, -1 at the end of the data, 0 for a count of 0.
   * @throws ERR_OUT_OF_RANGE when the range lies outside the buffer; as {@link read} of one byte.
   */
  read(buffer: Uint8Array, offset?: number, count?: number): number
  read(buffer?: Uint8Array, offset?: number, count?: number): number {
    if (buffer !== undefined) return this.#readTo(range(buffer, offset, count))
    const byte = new Uint8Array(1)
    return this.#readTo(byte) === END_OF_FILE ? END_OF_FILE : (byte[0] ?? END_OF_FILE)
  }

  /** Closes the ParcelFileDescriptor. Again is harmless. */
  close(): void {
    this.#source.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  #readTo(target: Uint8Array): number {
    const fd = this.#source.getFd()
    if (target.length === 0) return 0
    const count = readSync(fd, target)
    if (count > 0) return count
    if (this.#source.canDetectErrors()) this.#source.checkError()
    return END_OF_FILE
  }
}

/** Writes at the descriptor's own offset. Every method throws ERR_CLOSED once the descriptor is closed. */
export class AutoCloseOutputStream {
  readonly #source: AutoCloseSource

  /** Takes the ParcelFileDescriptor over: close the stream, not the descriptor. */
  constructor(pfd: AutoCloseSource) {
    checkSource(pfd)
    this.#source = pfd
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: stateOf(this.#source) })
  }

  /**
   * Writes the low 8 bits of an int.
   * @throws the code of the errno, such as EPIPE if nobody reads any more
   */
  write(byte: number): void
  /**
   * Writes `count` bytes of `buffer` from `offset` on, all of them; by default the whole buffer.
   * @throws ERR_OUT_OF_RANGE when the range lies outside the buffer; the errno's code, and then some may be written.
   */
  write(buffer: Uint8Array, offset?: number, count?: number): void
  write(data: number | Uint8Array, offset?: number, count?: number): void {
    this.#writeAll(typeof data === 'number' ? lowByte(data) : range(data, offset, count))
  }

  /** Closes the ParcelFileDescriptor. Again is harmless. */
  close(): void {
    this.#source.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  #writeAll(bytes: Uint8Array): void {
    const fd = this.#source.getFd()
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
  }
}

/** For people. */
function stateOf(source: AutoCloseSource): 'open' | 'closed' {
  try {
    source.getFd()
    return 'open'
  } catch {
    return 'closed'
  }
}

/** Of memory that is gone no part can be taken, not even none. */
const NOTHING = new Uint8Array(0)

function lowByte(value: number): Uint8Array {
  checkInteger('byte', value, INT_MIN, INT_MAX)
  return Uint8Array.of(value)
}

function range(buffer: Uint8Array, offset = 0, count?: number): Uint8Array {
  checkBytes('buffer', buffer)
  checkInteger('offset', offset, 0, buffer.length)
  const left = buffer.length - offset
  const wanted = count === undefined ? left : count
  checkInteger('count', wanted, 0, left)
  return left === 0 ? NOTHING : buffer.subarray(offset, offset + wanted)
}

function checkSource(pfd: AutoCloseSource): void {
  checkNotNull('pfd', pfd)
  if (typeof pfd.getFd !== 'function') {
    throw new InvalidArgTypeError(`pfd must be a ParcelFileDescriptor, got ${show(pfd)}`)
  }
}
