/**
 * Wayland's wire format: a message is the number of an object, the code of a request or an event with the length in bytes, and arguments of
 * 32 bits each. Descriptors are in none of these bytes: they go beside them, with the message that is about them.
 */
import { connectUnixStream } from 'memfd-native'

const HEADER_BYTES = 8
const padded = (length) => (length + 3) & ~3

/** A connection: requests go out by `request`, events come to whoever `listen`s to their object. */
export class Connection {
  #stream
  #listeners = new Map()
  #rest = Buffer.alloc(0)
  #last = 1 // the display

  constructor(path) {
    this.#stream = connectUnixStream(path)
    this.#stream.on('data', (data) => this.#take(data))
    this.#stream.on('end', () => {
      throw new Error('the compositor has gone')
    })
  }

  /** The number of an object to be made. */
  newObject() {
    this.#last += 1
    return this.#last
  }

  /** @param handlers by the codes of events, each called with a `Reader` */
  listen(object, handlers) {
    this.#listeners.set(object, handlers)
  }

  /** Arguments: numbers (32 bits, of either sign) and strings. @param fds go with it, and are borrowed */
  request(object, code, args = [], fds = []) {
    const body = Buffer.concat(args.map((arg) => (typeof arg === 'string' ? stringBytes(arg) : wordBytes(arg))))
    const length = HEADER_BYTES + body.length
    const bytes = Buffer.concat([wordBytes(object), wordBytes((length << 16) | code), body])
    if (fds.length === 0) this.#stream.write(bytes)
    else this.#stream.writeWithFds(bytes, fds)
  }

  close() {
    this.#stream.destroy()
  }

  #take(data) {
    this.#rest = Buffer.concat([this.#rest, data])
    while (this.#rest.length >= HEADER_BYTES) {
      const length = this.#rest.readUInt32LE(4) >>> 16
      if (this.#rest.length < length) return
      const message = this.#rest.subarray(0, length)
      this.#rest = this.#rest.subarray(length)
      const handler = this.#listeners.get(message.readUInt32LE(0))?.[message.readUInt16LE(4)]
      handler?.(new Reader(message.subarray(HEADER_BYTES)))
    }
  }
}

/** The arguments of an event, one after the other. */
class Reader {
  #bytes
  #at = 0

  constructor(bytes) {
    this.#bytes = bytes
  }

  uint() {
    this.#at += 4
    return this.#bytes.readUInt32LE(this.#at - 4)
  }

  int() {
    return this.uint() | 0
  }

  string() {
    const length = this.uint() // with the NUL
    const start = this.#at
    this.#at += padded(length)
    return this.#bytes.toString('utf8', start, start + length - 1)
  }
}

function wordBytes(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

function stringBytes(text) {
  const length = Buffer.byteLength(text) + 1
  const bytes = Buffer.alloc(4 + padded(length))
  bytes.writeUInt32LE(length)
  bytes.write(text, 4)
  return bytes
}
