/**
 * Copying and comparing a few bytes, which every call does some ten times: in words of 4 bytes it takes a quarter of the
 * time that bytes take, and a fifth of what a bulk copy of a part does, with the view that it makes. Measured, Node 20.
 *
 * Memory that is used again and again has a view of words that goes with it.
 */
import type { Buffer } from 'node:buffer'

const WORDS = Symbol('words')

interface WordMemory extends Buffer {
  [WORDS]?: Int32Array
}

/** Up to here a loop is quicker than a bulk copy. */
const SMALL_BYTES = 512
/** The same, byte by byte. */
const SMALL_ODD_BYTES = 160

/** The same memory, with a view of words from now on, if it lies as words must. */
export function withWords<B extends Buffer>(memory: B): B {
  const buffer: WordMemory = memory
  if (buffer[WORDS] === undefined && buffer.byteOffset % 4 === 0) {
    buffer[WORDS] = new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2)
  }
  return memory
}

/** Copies bytes [from, from + count) of `source` to `target` at `at`. Both must have room: nothing is checked. */
export function copyBytes(source: Buffer, from: number, target: Buffer, at: number, count: number): void {
  const [read, write] = [(source as WordMemory)[WORDS], (target as WordMemory)[WORDS]]
  if (count <= SMALL_BYTES && read !== undefined && write !== undefined && ((from | at | count) & 3) === 0) {
    const [first, to, end] = [from >>> 2, at >>> 2, count >>> 2]
    for (let i = 0; i < end; i++) write[to + i] = read[first + i] as number
  } else if (count > SMALL_ODD_BYTES) source.copy(target, at, from, from + count)
  else for (let i = 0; i < count; i++) target[at + i] = source[from + i] as number
}

/** Copies all bytes of `source`, of anybody's, to `target` at `at`, where there must be room. */
export function putBytes(target: Buffer, at: number, source: Uint8Array): void {
  const count = source.length
  if (count > SMALL_ODD_BYTES) target.set(source, at)
  else for (let i = 0; i < count; i++) target[at + i] = source[i] as number
}

/** Writes an int32, little-endian. It must have room: nothing is checked. */
export function putInt32(target: Buffer, at: number, value: number): void {
  const words = (target as WordMemory)[WORDS]
  if (words !== undefined && (at & 3) === 0) words[at >>> 2] = value
  else target.writeInt32LE(value, at)
}

/** The int32, little-endian, at an offset that must be inside. */
export function getInt32(source: Buffer, at: number): number {
  const words = (source as WordMemory)[WORDS]
  return words !== undefined && (at & 3) === 0 ? (words[at >>> 2] as number) : source.readInt32LE(at)
}

/** A value of 8 bytes, and its halves: Node's methods make a BigInt of each step. */
const LONG = new BigInt64Array(1)
const DOUBLE = new Float64Array(LONG.buffer)
const HALVES = new Int32Array(LONG.buffer)

/** Writes an int64, little-endian. It must have room: nothing is checked. */
export function putLong(target: Buffer, at: number, value: bigint): void {
  LONG[0] = value
  putHalves(target, at)
}

/** The int64, little-endian, at an offset that must be inside. */
export function getLong(source: Buffer, at: number): bigint {
  getHalves(source, at)
  return LONG[0] as bigint
}

/** Writes a number of double precision, little-endian. It must have room: nothing is checked. */
export function putDouble(target: Buffer, at: number, value: number): void {
  DOUBLE[0] = value
  putHalves(target, at)
}

/** The number of double precision, little-endian, at an offset that must be inside. */
export function getDouble(source: Buffer, at: number): number {
  getHalves(source, at)
  return DOUBLE[0] as number
}

function putHalves(target: Buffer, at: number): void {
  putInt32(target, at, HALVES[0] as number)
  putInt32(target, at + 4, HALVES[1] as number)
}

function getHalves(source: Buffer, at: number): void {
  HALVES[0] = getInt32(source, at)
  HALVES[1] = getInt32(source, at + 4)
}

/** Whether `count` bytes at `a` of one buffer are those at `b` of another: offsets and count in multiples of 4. */
export function isSame(one: Buffer, a: number, other: Buffer, b: number, count: number): boolean {
  const [left, right] = [(one as WordMemory)[WORDS], (other as WordMemory)[WORDS]]
  if (left === undefined || right === undefined || ((a | b | count) & 3) !== 0) {
    return one.compare(other, b, b + count, a, a + count) === 0
  }
  const [first, second, end] = [a >>> 2, b >>> 2, count >>> 2]
  for (let i = 0; i < end; i++) if (left[first + i] !== right[second + i]) return false
  return true
}
