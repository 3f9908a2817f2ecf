/** Areas for tests: a writer, a reader of it, and values that tell whether they are whole. */
import {
  type AreaOptions,
  AreaReader,
  AreaWriter,
  addSeals,
  areaTypes,
  constants,
  ftruncate,
  Mapping,
  memfdCreate,
  mmap,
} from '../src/index.ts'

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

export interface ForgedArea extends Disposable {
  readonly mapping: Mapping
  attach(): AreaReader
  /** A word, or its first bytes. */
  write(at: number, value: bigint, bytes?: number): void
}

/** A copy of an area with the key `k`, whose value is `value`, in a file that the test may write, and readers of it. */
export function forgedArea(options: { capacity: number; maxKeys: number }): ForgedArea {
  using pair = newPair(options)
  put(pair.writer, 'k', 'value')
  const { capacity } = options
  const bytes = rawBytes(pair.writer, capacity)
  const memfd = memfdCreate('forged', constants.MFD_ALLOW_SEALING)
  ftruncate(memfd, capacity)
  addSeals(memfd, constants.F_SEAL_SHRINK)
  const mapping = Mapping.map(memfd, capacity, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
  mapping.write(0, bytes, 0, capacity)
  return {
    mapping,
    attach: () => AreaReader.attach(memfd),
    write(at, value, count = 8) {
      const word = new Uint8Array(8)
      new DataView(word.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
      mapping.write(at, word, 0, count)
    },
    [Symbol.dispose]() {
      mapping.unmap()
      memfd.close()
    },
  }
}
