/** Every method against what it must not be given, and against a parcel that is recycled. */
import t from 'tap'
import { Parcel, type Parcelable, ParcelFileDescriptor, SharedMemory } from '../../src/index.ts'
import { leakChecked, Point, Polygon, TestBinder } from '../../test-support/index.ts'

leakChecked(t)

/** Calls of any method with any arguments. */
type Untyped = Record<string, (...args: unknown[]) => unknown>

function call(parcel: Parcel, method: string, ...args: unknown[]): unknown {
  return (parcel as unknown as Untyped)[method]?.apply(parcel, args)
}

const RANGE = 'ERR_OUT_OF_RANGE'
const TYPE = 'ERR_INVALID_ARG_TYPE'
const NULL = 'ERR_NULL_POINTER'

const NO_INT: [value: unknown, code: string][] = [
  [2 ** 31, RANGE],
  [-(2 ** 31) - 1, RANGE],
  [0.5, RANGE],
  [Number.NaN, RANGE],
  [Number.POSITIVE_INFINITY, RANGE],
  ['1', TYPE],
  [1n, TYPE],
  [null, TYPE],
  [undefined, TYPE],
]
const NO_COUNT: typeof NO_INT = [...NO_INT, [-1, RANGE]]
const NO_FLOAT: typeof NO_INT = [
  ['1', TYPE],
  [1n, TYPE],
  [null, TYPE],
]
const NO_STRING: typeof NO_INT = [
  [1, TYPE],
  [{}, TYPE],
  [undefined, NULL],
]
const NO_OBJECT: typeof NO_INT = [
  [1, TYPE],
  [{}, TYPE],
  [undefined, TYPE],
]

const REFUSED: Record<string, typeof NO_INT> = {
  setDataSize: NO_COUNT,
  setDataPosition: NO_COUNT,
  setDataCapacity: NO_COUNT,
  writeByte: [...NO_INT, [128, RANGE], [-129, RANGE]],
  writeInt: NO_INT,
  writeLong: [
    [2n ** 63n, RANGE],
    [-(2n ** 63n) - 1n, RANGE],
    [1, TYPE],
    [null, TYPE],
  ],
  writeFloat: NO_FLOAT,
  writeDouble: NO_FLOAT,
  writeBoolean: [
    [0, TYPE],
    [null, TYPE],
  ],
  writeString: NO_STRING,
  writeString8: NO_STRING,
  writeByteArray: [...NO_STRING, [[1], TYPE], [new ArrayBuffer(1), TYPE]],
  writeBlob: [...NO_STRING, ['x', TYPE]],
  writeBooleanArray: [...NO_OBJECT, [[true, 1], TYPE]],
  writeIntArray: [...NO_OBJECT, [[1, 0.5], RANGE], [new DataView(new ArrayBuffer(4)), TYPE]],
  writeLongArray: [...NO_OBJECT, [[1n, 1], TYPE], [[1n, 2n ** 63n], RANGE]],
  writeFloatArray: [...NO_OBJECT, [[1, null], TYPE]],
  writeDoubleArray: [...NO_OBJECT, [[1, '1'], TYPE]],
  writeStringArray: [...NO_OBJECT, [['a', 1], TYPE], [['a', undefined], NULL]],
  writeStrongBinder: NO_OBJECT,
  writeBinderArray: [...NO_OBJECT, [[new TestBinder(), {}], TYPE]],
  writeStrongInterface: [...NO_OBJECT, [new TestBinder(), TYPE]],
  writeInterfaceArray: [...NO_OBJECT, [[null, 1], TYPE]],
  writeTypedObject: NO_OBJECT,
  writeTypedArray: [...NO_OBJECT, [[new Point(1, 2), {}], TYPE]],
  writeFileDescriptor: [
    [null, NULL],
    [0, TYPE],
    [new TestBinder(), TYPE],
  ],
  writeInterfaceToken: [...NO_STRING, [null, NULL]],
  enforceInterface: [...NO_STRING, [null, NULL]],
  appendFrom: [
    [null, NULL],
    [{}, TYPE],
  ],
  unmarshall: [
    [null, NULL],
    ['x', TYPE],
  ],
  readTypedObject: [
    [null, NULL],
    [{}, TYPE],
  ],
  readTypedArray: [
    [null, NULL],
    [{}, TYPE],
  ],
  readInterfaceArray: [
    [null, NULL],
    [{}, TYPE],
  ],
}

for (const [method, cases] of Object.entries(REFUSED)) {
  t.test(`${method} refuses what it cannot take and changes nothing`, async (t) => {
    using p = Parcel.obtain()
    p.writeInt(7)
    for (const [value, code] of cases) t.throws(() => call(p, method, value, 0, 0), { code })
    t.equal(p.dataSize(), 4)
    t.equal(p.dataPosition(), 4)
  })
}

t.test('an error of an argument names it, its rule and what came', async (t) => {
  using p = Parcel.obtain()
  t.throws(() => p.writeByte(300), { message: 'value must be an integer from -128 to 127, got 300' })
})

t.test('typed arrays are arrays too', async (t) => {
  using p = Parcel.obtain()
  p.writeIntArray(Int32Array.of(1, -2))
  p.writeLongArray(BigInt64Array.of(1n, -2n))
  p.writeDoubleArray(Float64Array.of(0.1))
  p.setDataPosition(0)
  t.strictSame([p.readIntArray(), p.readLongArray(), p.readDoubleArray()], [[1, -2], [1n, -2n], [0.1]])
})

t.test("what readByteArray answers is the caller's own", async (t) => {
  using p = Parcel.obtain()
  const bytes = Buffer.from([1, 2, 3])
  p.writeByteArray(bytes)
  bytes.fill(0)
  p.setDataPosition(0)
  p.readByteArray()?.fill(9)
  p.setDataPosition(0)
  t.strictSame(p.readByteArray(), Buffer.from([1, 2, 3]))
})

t.test('floats are rounded to single precision, and keep what is special', async (t) => {
  using p = Parcel.obtain()
  const values = [0.1, Number.NaN, -0, Number.NEGATIVE_INFINITY, 1e300, Number.MIN_VALUE]
  p.writeFloatArray(values)
  p.writeDoubleArray(values)
  p.setDataPosition(0)
  t.strictSame(p.readFloatArray(), values.map(Math.fround))
  t.strictSame(p.readDoubleArray(), values)
})

/** Strings of one length and one sum of units are looked for in one place; 32 units are short, 33 are not. */
t.test('strings that are read one after the other are never taken for each other', async (t) => {
  const ends = ['Aa', 'BB', 'C#', '\ud800\0', '\0\0', '\uffff\udfff', 'é€']
  const words = ['', ...ends, ...ends.flatMap((a) => ends.map((b) => a + b))]
  const long = [30, 31, 32, 33].flatMap((length) => ends.map((end) => 'k'.repeat(length - end.length) + end))
  using p = Parcel.obtain()
  for (const all of [words, long, [...long, ...words].reverse()]) {
    p.setDataSize(0)
    for (const text of all) p.writeString(text)
    p.setDataPosition(0)
    for (const text of all) t.equal(p.readString(), text)
  }
})

t.test('longs and doubles are written and read at any position', async (t) => {
  const longs = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x0123456789abcdefn, -0x100000000n, 0xffffffffn]
  const doubles = [0, -0, 1.5, -1e300, 5e-324, Number.MAX_VALUE, Number.POSITIVE_INFINITY, Number.NaN]
  for (const at of [0, 1, 2, 3, 4, 1021]) {
    using p = Parcel.obtain()
    p.setDataPosition(at)
    for (const long of longs) p.writeLong(long)
    for (const double of doubles) p.writeDouble(double)
    const bytes = p.marshall()
    t.strictSame(
      longs.map((_, i) => bytes.readBigInt64LE(at + i * 8)),
      longs,
    )
    t.strictSame(
      doubles.map((_, i) => bytes.readDoubleLE(at + longs.length * 8 + i * 8)),
      doubles,
    )
    p.setDataPosition(at)
    t.strictSame(
      longs.map(() => p.readLong()),
      longs,
    )
    t.strictSame(
      doubles.map(() => p.readDouble()),
      doubles,
    )
  }
})

t.test('bytes that are viewed are those of this parcel, also after another one has used its memory', async (t) => {
  for (const text of ['abc', 'def', 'a longer one', '', 'xyz']) {
    using p = Parcel.obtain()
    p.writeByteArray(Buffer.from(text))
    p.setDataPosition(0)
    t.equal(Buffer.from(p.viewByteArray() ?? []).toString(), text)
  }
})

t.test('a byte is read from the low 8 bits of its int, a boolean from all', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(0x1ff)
  p.setDataPosition(0)
  t.equal(p.readByte(), -1)
  p.setDataPosition(0)
  t.equal(p.readBoolean(), true)
})

t.test('typed lists nest, and pass their flags on', async (t) => {
  using p = Parcel.obtain()
  const polygons = [new Polygon([new Point(1, 2), null]), new Polygon(null), null, new Polygon([])]
  p.writeTypedArray(polygons, 0)
  p.setDataPosition(0)
  t.strictSame(p.readTypedArray(Polygon.CREATOR), polygons)
  const flags: number[] = []
  p.writeTypedObject({ describeContents: () => 0, writeToParcel: (_, given) => flags.push(given) }, 1)
  t.strictSame(flags, [1])
})

t.test('a ParcelFileDescriptor travels as a typed object', async (t) => {
  using reader = ParcelFileDescriptor.open('/dev/null', ParcelFileDescriptor.MODE_READ_ONLY)
  using p = Parcel.obtain()
  p.writeTypedObject(reader, 0)
  t.equal(p.dataSize(), 4 + 4 + 24)
  p.writeTypedObject(null, 0)
  p.setDataPosition(0)
  using received = p.readTypedObject(ParcelFileDescriptor.CREATOR)
  t.ok(received?.getFileDescriptor().valid())
  t.equal(p.readTypedObject(ParcelFileDescriptor.CREATOR), null)
})

t.test('SharedMemory travels as any Parcelable does, though it lies below them', async (t) => {
  using memory = SharedMemory.create('typed', 4096)
  using p = Parcel.obtain()
  const parcelable: Parcelable = memory
  p.writeTypedObject(parcelable, 0)
  p.setDataPosition(0)
  using received = p.readTypedObject(SharedMemory.CREATOR)
  t.equal(received?.getSize(), 4096)
})

const SAMPLE_ARGUMENTS: Record<string, unknown[]> = {
  setDataSize: [0],
  setDataPosition: [0],
  setDataCapacity: [0],
  writeByte: [0],
  writeInt: [0],
  writeLong: [0n],
  writeFloat: [0],
  writeDouble: [0],
  writeBoolean: [true],
  writeString: [''],
  writeString8: [''],
  writeByteArray: [null],
  writeBlob: [null],
  writeBooleanArray: [null],
  writeIntArray: [[]],
  writeLongArray: [[]],
  writeFloatArray: [[]],
  writeDoubleArray: [[]],
  writeStringArray: [[]],
  writeStrongBinder: [null],
  writeBinderArray: [[]],
  writeStrongInterface: [null],
  writeInterfaceArray: [[]],
  writeTypedObject: [null, 0],
  writeTypedArray: [[], 0],
  writeInterfaceToken: ['a.B'],
  enforceInterface: ['a.B'],
  writeException: [Object.assign(new Error(), { code: 'ERR_SECURITY' })],
  unmarshall: [Buffer.alloc(0), 0, 0],
  readTypedObject: [Point.CREATOR],
  readTypedArray: [Point.CREATOR],
  readInterfaceArray: [() => null],
}
const HARMLESS = ['constructor', 'recycle', 'writeList', 'readList']

function methods(): string[] {
  const prototypes = [Parcel.prototype, Object.getPrototypeOf(Parcel.prototype)]
  return prototypes
    .flatMap((prototype) => Object.getOwnPropertyNames(prototype))
    .filter((name) => !HARMLESS.includes(name))
}

t.test('after recycle() every method throws ERR_CLOSED', async (t) => {
  const p = Parcel.obtain()
  p.writeInt(1)
  p.recycle()
  using file = ParcelFileDescriptor.open('/dev/null', ParcelFileDescriptor.MODE_READ_ONLY)
  using open = Parcel.obtain()
  const args = { ...SAMPLE_ARGUMENTS, writeFileDescriptor: [file.getFileDescriptor()], appendFrom: [open, 0, 0] }
  for (const method of methods()) {
    const given = (args as Record<string, unknown[]>)[method] ?? []
    t.throws(() => call(p, method, ...given), { code: 'ERR_CLOSED' }, method)
  }
  t.throws(() => open.appendFrom(p, 0, 0), { code: 'ERR_CLOSED' })
  t.throws(() => Parcel.compareData(open, 0, p, 0, 0), { code: 'ERR_CLOSED' })
})

t.test('recycle() again is harmless, also to parcels obtained since', async (t) => {
  const p = Parcel.obtain()
  p.recycle()
  using first = Parcel.obtain()
  p.recycle()
  p[Symbol.dispose]()
  using second = Parcel.obtain()
  first.writeInt(1)
  second.writeInt(2)
  first.setDataPosition(0)
  t.equal(first.readInt(), 1)
})

t.test('obtain takes a binder, null or nothing', async (t) => {
  for (const binder of [undefined, null, new TestBinder()]) {
    using p = Parcel.obtain(binder)
    p.writeInt(17)
    p.setDataPosition(0)
    t.equal(p.readInt(), 17)
  }
})
