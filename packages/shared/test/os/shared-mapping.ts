/** A mapping's accessors: their bytes, ranges and order of errors. */
import { mmap } from 'memfd-native'
import t from 'tap'
import type { SharedMapping } from '../../src/os/shared-mapping.ts'
import { SharedMemory } from '../../src/os/shared-memory.ts'
import { leakChecked, outcome } from '../../test-support/index.ts'

leakChecked(t)

const { PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } = mmap
const SIZE = 16

/** A mapping of 16 bytes; it outlives the memory it was made by. */
function mappingOf(prot: number): SharedMapping {
  using memory = SharedMemory.create('mapping', SIZE)
  return memory.map(prot, 0, SIZE)
}

function bytesOf(mapping: SharedMapping, count: number): number[] {
  const buffer = new Uint8Array(count)
  mapping.readBytes(buffer, 0, 0, count)
  return [...buffer]
}

interface Accessor {
  name: string
  width: number
  get: (mapping: SharedMapping, index: number) => unknown
  put: (mapping: SharedMapping, index: number, value: never) => void
  /** Value and its bytes. */
  stored: [value: unknown, bytes: number[]][]
  tooBig: unknown[]
  wrongType: unknown[]
}

const ACCESSORS: Accessor[] = [
  {
    name: 'byte',
    width: 1,
    get: (m, index) => m.get(index),
    put: (m, index, value) => m.put(index, value),
    stored: [
      [0, [0]],
      [255, [255]],
      [128, [128]],
    ],
    tooBig: [256, -129, 0.5, Number.NaN],
    wrongType: ['1', 1n, null],
  },
  {
    name: 'Short',
    width: 2,
    get: (m, index) => m.getShort(index),
    put: (m, index, value) => m.putShort(index, value),
    stored: [
      [0x0102, [1, 2]],
      [-2, [255, 254]],
      [-(2 ** 15), [0x80, 0]],
    ],
    tooBig: [2 ** 15, -(2 ** 15) - 1, 0.5, Number.NaN],
    wrongType: ['1', 1n, null],
  },
  {
    name: 'Int',
    width: 4,
    get: (m, index) => m.getInt(index),
    put: (m, index, value) => m.putInt(index, value),
    stored: [
      [0x01020304, [1, 2, 3, 4]],
      [-1, [255, 255, 255, 255]],
      [-(2 ** 31), [0x80, 0, 0, 0]],
    ],
    tooBig: [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN],
    wrongType: ['1', 1n, null],
  },
  {
    name: 'Long',
    width: 8,
    get: (m, index) => m.getLong(index),
    put: (m, index, value) => m.putLong(index, value),
    stored: [
      [0x0102030405060708n, [1, 2, 3, 4, 5, 6, 7, 8]],
      [-2n, [255, 255, 255, 255, 255, 255, 255, 254]],
      [-(2n ** 63n), [0x80, 0, 0, 0, 0, 0, 0, 0]],
    ],
    tooBig: [2n ** 63n, -(2n ** 63n) - 1n],
    wrongType: ['1', 1, null],
  },
  {
    name: 'Float',
    width: 4,
    get: (m, index) => m.getFloat(index),
    put: (m, index, value) => m.putFloat(index, value),
    stored: [
      [1.5, [0x3f, 0xc0, 0, 0]],
      [Number.NEGATIVE_INFINITY, [0xff, 0x80, 0, 0]],
      [Number.NaN, [0x7f, 0xc0, 0, 0]],
    ],
    tooBig: [],
    wrongType: ['1', 1n, null],
  },
  {
    name: 'Double',
    width: 8,
    get: (m, index) => m.getDouble(index),
    put: (m, index, value) => m.putDouble(index, value),
    stored: [
      [1.5, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0]],
      [0.1, [0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a]],
      [Number.NaN, [0x7f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ],
    tooBig: [],
    wrongType: ['1', 1n, null],
  },
]

for (const { name, width, get, put, stored, tooBig, wrongType } of ACCESSORS) {
  t.test(`${name}: big-endian, at any index`, async (t) => {
    const mapping = mappingOf(PROT_READ | PROT_WRITE)
    for (const [value, bytes] of stored) {
      put(mapping, 0, value as never)
      t.same(bytesOf(mapping, width), bytes, String(value))
      for (const index of [0, 1, 3, SIZE - width]) {
        put(mapping, index, value as never)
        t.ok(Object.is(get(mapping, index), value), `${value} at ${index}`)
      }
    }
    SharedMemory.unmap(mapping)
  })

  t.test(`${name}: what is refused, in the order of the checks`, async (t) => {
    const value = stored[0]?.[0] as never
    const bad = (tooBig[0] ?? wrongType[0]) as never
    const mapping = mappingOf(PROT_READ | PROT_WRITE)
    for (const index of [-1, SIZE - width + 1, SIZE, 0.5, Number.NaN, 2 ** 53]) {
      t.throws(() => get(mapping, index), { code: 'ERR_OUT_OF_RANGE' }, `get at ${index}`)
      t.throws(() => put(mapping, index, bad), { code: 'ERR_OUT_OF_RANGE' }, `put at ${index}`)
    }
    t.throws(() => get(mapping, '0' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
    for (const each of tooBig) t.throws(() => put(mapping, 0, each as never), { code: 'ERR_OUT_OF_RANGE' })
    for (const each of wrongType) t.throws(() => put(mapping, 0, each as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.same(bytesOf(mapping, SIZE), new Array(SIZE).fill(0), 'nothing was stored')
    SharedMemory.unmap(mapping)
    t.throws(() => get(mapping, -1), { code: 'ERR_CLOSED' })
    t.throws(() => put(mapping, -1, bad), { code: 'ERR_CLOSED' })

    const readOnly = mappingOf(PROT_READ)
    t.throws(() => put(readOnly, -1, bad), { code: 'ERR_READ_ONLY' })
    t.throws(() => put(readOnly, 0, value), { code: 'ERR_READ_ONLY' })
    t.doesNotThrow(() => get(readOnly, 0))
    SharedMemory.unmap(readOnly)
  })
}

t.test('a byte is put by its low 8 bits', async (t) => {
  const mapping = mappingOf(PROT_READ | PROT_WRITE)
  mapping.put(0, -1)
  mapping.put(1, -128)
  t.same(bytesOf(mapping, 2), [255, 128])
  SharedMemory.unmap(mapping)
})

t.test('copies take the offset of their source first, and lie within both', async (t) => {
  const mapping = mappingOf(PROT_READ | PROT_WRITE)
  t.equal(mapping.writeBytes(Uint8Array.of(9, 1, 2, 9), 1, 14, 2), undefined)
  const buffer = new Uint8Array(4)
  t.equal(mapping.readBytes(buffer, 14, 1, 2), 2)
  t.same([...buffer], [0, 1, 2, 0])
  t.equal(mapping.readBytes(buffer, SIZE, 4, 0), 0)
  for (const [inMapping, inBuffer, count] of [
    [-1, 0, 1],
    [0, -1, 1],
    [0, 0, -1],
    [0, 0, 5],
    [15, 0, 2],
    [17, 0, 0],
    [0, 5, 0],
  ] as const) {
    t.throws(() => mapping.readBytes(buffer, inMapping, inBuffer, count), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => mapping.writeBytes(buffer, inBuffer, inMapping, count), { code: 'ERR_OUT_OF_RANGE' })
  }
  t.throws(() => mapping.readBytes(null as unknown as Buffer, 0, 0, 1), { code: 'ERR_NULL_POINTER' })
  t.throws(() => mapping.writeBytes('x' as unknown as Buffer, 0, 0, 1), { code: 'ERR_INVALID_ARG_TYPE' })
  SharedMemory.unmap(mapping)
})

const KINDS: [title: string, prot: number, isReadOnly: boolean, read: unknown, write: unknown][] = [
  ['READ', PROT_READ, true, 1, 'ERR_READ_ONLY'],
  ['READ and WRITE', PROT_READ | PROT_WRITE, false, 1, undefined],
  ['WRITE', PROT_WRITE, false, 1, undefined],
  ['EXEC', PROT_EXEC, true, 'ERR_UNSUPPORTED_OPERATION', 'ERR_READ_ONLY'],
  ['nothing', PROT_NONE, true, 'ERR_UNSUPPORTED_OPERATION', 'ERR_READ_ONLY'],
]

t.test('-0 is 0, in what comes back too', async (t) => {
  using mapping = mappingOf(PROT_READ)
  t.equal(mapping.readBytes(new Uint8Array(4), -0, -0, -0), 0)
})

t.test('`using` ends a mapping as SharedMemory.unmap does', async (t) => {
  const mapping = mappingOf(PROT_READ)
  {
    using ended = mapping
    t.equal(ended.get(0), 0)
  }
  t.equal(
    outcome(() => mapping.get(0)),
    'ERR_CLOSED',
  )
  t.equal(
    outcome(() => SharedMemory.unmap(mapping)),
    undefined,
  )
})

t.test('no kind of mapping can crash the process', async (t) => {
  const buffer = new Uint8Array(1)
  for (const [title, prot, isReadOnly, read, write] of KINDS) {
    const mapping = mappingOf(prot)
    t.equal(mapping.isReadOnly(), isReadOnly, title)
    t.equal(mapping.length, SIZE)
    t.equal(
      outcome(() => mapping.readBytes(buffer, 0, 0, 1)),
      read,
      `readBytes with ${title}`,
    )
    t.equal(
      outcome(() => mapping.writeBytes(buffer, 0, 0, 1)),
      write,
      `writeBytes with ${title}`,
    )
    t.equal(
      outcome(() => mapping.get(0)),
      read === 1 ? 0 : read,
      `get with ${title}`,
    )
    SharedMemory.unmap(mapping)
    t.equal(mapping.length, 0)
    t.equal(mapping.isReadOnly(), isReadOnly)
    t.throws(() => mapping.readBytes(buffer, 0, 0, 1), { code: 'ERR_CLOSED' })
    t.throws(() => mapping.writeBytes(buffer, 0, 0, 1), { code: 'ERR_CLOSED' })
  }
})
