/** Areas for tests: a writer, a reader of it, and values that tell whether they are whole. */
import { type AreaOptions, AreaReader, AreaWriter, areaTypes } from '../src/index.ts'

export const MIB = 1 << 20

export interface Pair extends Disposable {
  writer: AreaWriter
  reader: AreaReader
}

/** Both are closed with it. */
export function newPair(options: Partial<AreaOptions> = {}): Pair {
  const writer = AreaWriter.create({ capacity: MIB, maxKeys: 1000, logSize: 512, ...options })
  const reader = attachTo(writer)
  return {
    writer,
    reader,
    [Symbol.dispose]() {
      reader.close()
      writer.close()
    },
  }
}

export function attachTo(writer: AreaWriter): AreaReader {
  using fd = writer.share()
  return AreaReader.attach(fd)
}

/** Puts text as bytes; throws when that is refused. */
export function put(writer: AreaWriter, key: string, text: string): bigint {
  return versionOf(writer.put(key, areaTypes.BYTES, Buffer.from(text)))
}

export function versionOf(result: bigint | number): bigint {
  if (typeof result === 'number') throw new Error(`the area answered ${result}`)
  return result
}

/** The value as text, or the code that the area answered. */
export function textOf(reader: AreaReader, key: string): string | number {
  const target = Buffer.alloc(100_000)
  const count = reader.key(key).read(target)
  return count < 0 ? count : target.toString('latin1', 0, count)
}

/** `count` int32s that are all `number`: a value that shows where two were mixed. */
export function uniform(number: number, count: number): Uint8Array {
  return new Uint8Array(new Int32Array(count).fill(number).buffer)
}

/** The number of such a value, or null when it is mixed. */
export function numberOf(bytes: Uint8Array): number | null {
  const words = new Int32Array(bytes.slice().buffer)
  return words.every((word) => word === words[0]) ? (words[0] ?? null) : null
}

/** The bytes of the whole area, as anybody may read them who has it. */
export function rawBytes(writer: AreaWriter, length: number): Buffer {
  using fd = writer.share()
  const { readSync } = process.getBuiltinModule('node:fs')
  const bytes = Buffer.alloc(length)
  readSync(fd.fd, bytes, 0, length, 0)
  return bytes
}
