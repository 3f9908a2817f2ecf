/**
 * The codec of messages: pure, no socket. docs/protocol.md, sections 2 to 4, is its specification; every number here is
 * there too. A header that is not well formed is a `Violation`: its channel must end.
 */
import type { Buffer } from 'node:buffer'
import { pauseStackTraces, resumeStackTraces } from '../util/stack-traces.ts'

export const PROTOCOL_VERSION = 1
export const HEADER_BYTES = 32
/** The position of the called object's number in a header. */
export const OBJECT_OFFSET = 8
const OBJECT_BYTES = 24

export const KIND_HELLO = 1
export const KIND_TRANSACTION = 2
export const KIND_REPLY = 3
export const KIND_FAILURE = 4
export const KIND_RELEASE = 5
export const KIND_CONTINUATION = 6

export const STATUS_UNKNOWN_TRANSACTION = 1
export const STATUS_UNKNOWN_OBJECT = 2
export const STATUS_DESCRIPTORS_REFUSED = 3
export const STATUS_LIMIT = 4
export const STATUS_TOO_LARGE = 5
export const STATUS_VERSION = 6

export const OBJECT_DESCRIPTOR = 1
/** A binder of the sender's. */
export const OBJECT_LOCAL_BINDER = 2
/** A binder of the receiver's: it comes home. */
export const OBJECT_REMOTE_BINDER = 3

const FLAG_ONEWAY = 1

export const MAX_DATA_BYTES = 1024 * 1024 - 8 * 1024 // Android's receive buffer, frameworks/native ProcessState.cpp
export const MAX_OBJECTS = 4096

/** The peer broke the protocol. Only its channel ends. */
export class Violation extends Error {
  override readonly name = 'Violation'

  constructor(message: string, options?: ErrorOptions) {
    const before = pauseStackTraces()
    super(message, options)
    resumeStackTraces(before)
  }
}

export interface Header {
  version: number
  kind: number
  oneway: boolean
  id: number
  object: number
  code: number
  dataSize: number
  objectCount: number
  /** The rest follows in CONTINUATIONs. */
  bodyBytesInPacket: number
  descriptorCount: number
}

/**
 * DataViews of the last buffers that were read and written: mostly it is the same one again. They access a word several
 * times as fast as a Buffer's methods do in Node.js 20.
 */
let reading: Uint8Array = new Uint8Array(0)
let readingView = new DataView(reading.buffer)
let writing: Uint8Array = reading
let writingView = readingView

/** Writes the header at the beginning of `bytes` or at `at`. The message's version is always ours. */
export function writeHeader(bytes: Uint8Array, at: number, header: Omit<Header, 'version'>): void {
  if (bytes !== writing) {
    writing = bytes
    writingView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  const view = writingView
  const flags = header.oneway ? FLAG_ONEWAY : 0
  view.setUint32(at, PROTOCOL_VERSION | (header.kind << 8) | (flags << 16), true)
  view.setUint32(at + 4, header.id, true)
  view.setUint32(at + OBJECT_OFFSET, header.object, true)
  view.setUint32(at + 12, header.code, true)
  view.setUint32(at + 16, header.dataSize, true)
  view.setUint32(at + 20, header.objectCount, true)
  view.setUint32(at + 24, header.bodyBytesInPacket, true)
  view.setUint32(at + 28, header.descriptorCount, true) // 16 bits, and as many reserved ones
}

/** Reads and checks the header at `at` of a packet that ends at `end`. @throws Violation */
export function readHeader(bytes: Buffer, at: number, end: number): Header {
  if (end - at < HEADER_BYTES) throw new Violation(`a message of ${end - at} bytes has no room for its header`)
  if (bytes !== reading) {
    reading = bytes
    readingView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  const view = readingView
  const first = view.getUint32(at, true)
  const flags = first >>> 16
  const last = view.getUint32(at + 28, true)
  const header: Header = {
    version: first & 0xff,
    kind: (first >>> 8) & 0xff,
    oneway: (flags & FLAG_ONEWAY) !== 0,
    id: view.getUint32(at + 4, true),
    object: view.getUint32(at + OBJECT_OFFSET, true),
    code: view.getUint32(at + 12, true),
    dataSize: view.getUint32(at + 16, true),
    objectCount: view.getUint32(at + 20, true),
    bodyBytesInPacket: view.getUint32(at + 24, true),
    descriptorCount: last & 0xffff,
  }
  if (header.version !== PROTOCOL_VERSION) throw new Violation(`version ${header.version} of the protocol`)
  if (header.kind < KIND_HELLO || header.kind > KIND_CONTINUATION) throw ofKind(header.kind)
  if ((flags & ~FLAG_ONEWAY) !== 0 || last >>> 16 !== 0) throw new Violation('a reserved bit is set')
  checkFields(header)
  checkSizes(header, end - at - HEADER_BYTES)
  return header
}

/**
 * The version of a HELLO if it differs from ours, otherwise null. Only the first two bytes of such a message have a
 * known meaning.
 */
export function foreignVersion(bytes: Buffer, at: number, end: number): number | null {
  const version = bytes[at] as number
  return end - at >= 2 && bytes[at + 1] === KIND_HELLO && version !== PROTOCOL_VERSION ? version : null
}

/** Bytes of the whole body of a message: the parcel's data and its object table. */
export function bodySize(header: Header): number {
  return header.dataSize + 4 * header.objectCount
}

// Errors are made in functions of their own. Where several of them say the same number, V8 makes a string of it for each message,
// ahead of knowing whether one is thrown.

function ofKind(kind: number, what = ''): Violation {
  return new Violation(`kind ${kind}${what}`)
}

function tooLong(bytes: number, room: number): Violation {
  return new Violation(`a body of ${bytes} bytes in ${room}`)
}

function noParcel(bytes: number): Violation {
  return new Violation(`a parcel of ${bytes} bytes`)
}

/** A field that a kind of message makes no use of is 0: docs/protocol.md, section 3. */
function checkFields(header: Header): void {
  const { kind, oneway, id, object, code } = header
  const isCall = kind === KIND_TRANSACTION
  const hasBody = isCall || kind === KIND_REPLY || kind === KIND_FAILURE
  if (isCall ? oneway !== (id === 0) : oneway) throw new Violation('a oneway call has id 0, other calls have another')
  if (id !== 0 && (kind === KIND_HELLO || kind === KIND_RELEASE)) throw ofKind(kind, ' has no id')
  if (object !== 0 && !isCall && kind !== KIND_RELEASE) throw ofKind(kind, ' has no object')
  if (code !== 0 && (kind === KIND_REPLY || kind === KIND_CONTINUATION)) throw ofKind(kind, ' has no code')
  if (code === 0 && kind === KIND_FAILURE) throw new Violation('a failure has a status')
  if (header.dataSize !== 0 && !hasBody) throw ofKind(kind, ' has no parcel')
  if (header.objectCount !== 0 && kind === KIND_FAILURE) throw new Violation('a failure has no objects')
  if (header.descriptorCount !== 0 && !hasBody) throw ofKind(kind, ' has no descriptors')
}

function checkSizes(header: Header, room: number): void {
  const { kind, dataSize, objectCount, bodyBytesInPacket } = header
  if (bodyBytesInPacket > room) throw tooLong(bodyBytesInPacket, room)
  if (dataSize % 4 !== 0 || dataSize > MAX_DATA_BYTES) throw noParcel(dataSize)
  if (objectCount > MAX_OBJECTS || objectCount * OBJECT_BYTES > dataSize) {
    throw new Violation(`${objectCount} objects in ${dataSize} bytes`)
  }
  if (kind === KIND_CONTINUATION ? bodyBytesInPacket === 0 : bodyBytesInPacket > bodySize(header)) {
    throw new Violation(`${bodyBytesInPacket} bytes of a body of ${bodySize(header)}`)
  }
}

/** An object of a parcel as it stands on the wire. */
export interface WireObject {
  offset: number
  type: number
  /** The number of the descriptor within the message, or of the binder in its owner's table. */
  number: number
  /** For a binder of the sender: whether it accepts descriptors in requests. */
  acceptsFileDescriptors: boolean
}

/** Writes the 24 bytes of an object over its place in a copy of the parcel's data, which begins at `start`. */
export function writeObject(data: Buffer, start: number, object: WireObject): void {
  const at = start + object.offset
  data.writeUInt32LE(object.type, at)
  data.writeUInt32LE(object.number, at + 4)
  data.writeUInt32LE(object.acceptsFileDescriptors ? 1 : 0, at + 8)
  for (let rest = at + 12; rest < at + OBJECT_BYTES; rest += 4) data.writeUInt32LE(0, rest)
}

/**
 * Reads and checks the object table behind a parcel's data, which begins at `start`.
 * @param fdCount descriptors that came with the message: each must be named exactly once, in order.
 * @throws Violation
 */
export function readObjects(
  body: Buffer,
  start: number,
  size: { dataSize: number; objectCount: number },
  fdCount: number,
): WireObject[] {
  const { dataSize, objectCount } = size
  const objects: WireObject[] = new Array(objectCount)
  let nextFree = 0
  let fds = 0
  for (let i = 0; i < objectCount; i++) {
    const offset = body.readUInt32LE(start + dataSize + 4 * i)
    if (offset % 4 !== 0 || offset < nextFree || offset + OBJECT_BYTES > dataSize) {
      throw new Violation(`an object at ${offset} of ${dataSize}`)
    }
    nextFree = offset + OBJECT_BYTES
    const object = readObject(body, start, offset)
    if (object.type === OBJECT_DESCRIPTOR && object.number !== fds++) throw new Violation('descriptors out of order')
    objects[i] = object
  }
  if (fds !== fdCount) throw new Violation(`${fdCount} descriptors came, the parcel names ${fds}`)
  return objects
}

function readObject(body: Buffer, start: number, offset: number): WireObject {
  const type = body.readUInt32LE(start + offset)
  const number = body.readUInt32LE(start + offset + 4)
  if (type < OBJECT_DESCRIPTOR || type > OBJECT_REMOTE_BINDER) throw new Violation(`an object of type ${type}`)
  const accepts = body.readUInt32LE(start + offset + 8)
  if (accepts > (type === OBJECT_LOCAL_BINDER ? 1 : 0)) throw new Violation('a reserved byte is set')
  for (let at = start + offset + 12; at < start + offset + OBJECT_BYTES; at += 4) {
    if (body.readUInt32LE(at) !== 0) throw new Violation('a reserved byte is set')
  }
  return { offset, type, number, acceptsFileDescriptors: accepts === 1 }
}
