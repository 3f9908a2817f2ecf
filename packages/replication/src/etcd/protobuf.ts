/** As much of the encoding of protocol buffers as etcd's messages need: whole numbers, bytes, and messages in messages. A field that is zero is left out. */
export type Field = readonly [number: number, value: bigint | number | Uint8Array]

/** What came under each number of a field, in order. */
export type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

export function encoded(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) =>
      typeof value === 'object'
        ? [varint((number << 3) | LENGTH), varint(value.length), value]
        : [varint((number << 3) | VARINT), varint(value)],
    ),
  )
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

function varint(value: bigint | number): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
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
