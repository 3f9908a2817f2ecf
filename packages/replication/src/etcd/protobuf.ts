/** As much of the encoding of protocol buffers as etcd's messages need: whole numbers, bytes, and messages in messages. A field that is zero is left out. */
export type Field = readonly [number: number, value: bigint | number | Uint8Array]

/** The contents by field number, in order. */
export type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5
/** Of a number of 64 bits. */
const LONGEST = 10

/** In one buffer, which is as long as it may become: parts that are put together take several times as long. */
export function encoded(fields: readonly Field[]): Buffer {
  const most = fields.reduce((sum, [, value]) => sum + 2 * LONGEST + (typeof value === 'object' ? value.length : 0), 0)
  const bytes = Buffer.allocUnsafe(most)
  let at = 0
  for (const [number, value] of fields) {
    const isBytes = typeof value === 'object'
    at = writeVarint(bytes, at, (number << 3) | (isBytes ? LENGTH : VARINT))
    at = writeVarint(bytes, at, isBytes ? value.length : value)
    if (!isBytes) continue
    bytes.set(value, at)
    at += value.length
  }
  return bytes.subarray(0, at)
}

/** @throws RangeError it ends within a field; Error it is none of these messages */
export function decoded(bytes: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>()
  const reader = new Reader(bytes)
  while (!reader.isAtEnd) {
    const tag = Number(reader.varint())
    const value = reader.value(tag & 7)
    const before = fields.get(tag >> 3)
    if (before === undefined) fields.set(tag >> 3, [value])
    else before.push(value)
  }
  return fields
}

/** 0n: it was left out. */
export function longIn(fields: Fields, number: number): bigint {
  const value = fields.get(number)?.at(-1)
  return typeof value === 'bigint' ? value : 0n
}

/** Undefined: it was left out. */
export function bytesIn(fields: Fields, number: number): Buffer | undefined {
  const value = fields.get(number)?.at(-1)
  return typeof value === 'object' ? value : undefined
}

/** All that came under one number, each a message itself. */
export function messagesIn(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).filter((value) => typeof value === 'object').map(decoded)
}

/** @returns where the next one begins */
function writeVarint(bytes: Buffer, begin: number, value: bigint | number): number {
  let at = begin
  let high = value
  while (high > Number.MAX_SAFE_INTEGER) {
    bytes[at++] = Number(BigInt(high) & 0x7fn) | 0x80
    high = BigInt(high) >> 7n
  }
  let rest = Number(high)
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80
  bytes[at++] = rest
  return at
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new Error('a number of more than 64 bits')
  }

  value(type: number): bigint | Buffer {
    if (type === VARINT) return this.varint()
    if (type === LENGTH) return this.#take(Number(this.varint()))
    if (type === FIXED64) return this.#take(8)
    if (type === FIXED32) return this.#take(4)
    throw new Error(`a field of type ${type}`)
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('the message ends within a field')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
