/**
 * The bytes of every kind of value, held to test-support/fixtures/parcel/layout.json: the wire format, which other versions and
 * other languages read. Changing a line of that file is changing docs/protocol.md.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Parcel, ParcelFileDescriptor, ServiceSpecificError } from '../../src/index.ts'
import { contentsOf, leakChecked, Point, Polygon, TestBinder } from '../../test-support/index.ts'

leakChecked(t)

const LAYOUT_FILE = new URL('../../../test-support/fixtures/parcel/layout.json', import.meta.url)
const layout: Record<string, string> = JSON.parse(readFileSync(LAYOUT_FILE, 'utf8'))

interface Kind {
  value: unknown
  write(parcel: Parcel, value: unknown): void
  read(parcel: Parcel): unknown
}

function kind<T>(value: T, write: (parcel: Parcel, value: T) => void, read: Kind['read']): Kind {
  return { value, write: (parcel, given) => write(parcel, given as T), read }
}

const writeInt = (parcel: Parcel, value: number) => parcel.writeInt(value)
const readInt = (parcel: Parcel) => parcel.readInt()
const writeString = (parcel: Parcel, value: string | null) => parcel.writeString(value)
const readString = (parcel: Parcel) => parcel.readString()
const writeString8 = (parcel: Parcel, value: string | null) => parcel.writeString8(value)
const readString8 = (parcel: Parcel) => parcel.readString8()
const writeByteArray = (parcel: Parcel, value: Buffer | null) => parcel.writeByteArray(value)
const readByteArray = (parcel: Parcel) => parcel.readByteArray()
const readPoint = (parcel: Parcel) => parcel.readTypedObject(Point.CREATOR)
const writeTyped = (parcel: Parcel, value: Point | Polygon | null) => parcel.writeTypedObject(value, 0)

const KINDS: Record<string, Kind> = {
  'byte -128': kind(
    -128,
    (p, value) => p.writeByte(value),
    (p) => p.readByte(),
  ),
  'int 7': kind(7, writeInt, readInt),
  'int -2': kind(-2, writeInt, readInt),
  'int 2^31-1': kind(2 ** 31 - 1, writeInt, readInt),
  'long 2^63-1': kind(
    2n ** 63n - 1n,
    (p, value) => p.writeLong(value),
    (p) => p.readLong(),
  ),
  'long -2': kind(
    -2n,
    (p, value) => p.writeLong(value),
    (p) => p.readLong(),
  ),
  'float 1.5': kind(
    1.5,
    (p, value) => p.writeFloat(value),
    (p) => p.readFloat(),
  ),
  'double -0.1': kind(
    -0.1,
    (p, value) => p.writeDouble(value),
    (p) => p.readDouble(),
  ),
  'boolean true': kind(
    true,
    (p, value) => p.writeBoolean(value),
    (p) => p.readBoolean(),
  ),
  'string null': kind(null, writeString, readString),
  'string empty': kind('', writeString, readString),
  'string 7L': kind('7L', writeString, readString),
  'string 7Lx': kind('7Lx', writeString, readString),
  'string half a pair': kind('\ud83d', writeString, readString),
  'string8 null': kind(null, writeString8, readString8),
  'string8 empty': kind('', writeString8, readString8),
  'string8 abc': kind('abc', writeString8, readString8),
  'string8 of 4 bytes': kind('€a', writeString8, readString8),
  'byte array null': kind(null, writeByteArray, readByteArray),
  'byte array empty': kind(Buffer.alloc(0), writeByteArray, readByteArray),
  'byte array of 5': kind(Buffer.from([1, 2, 3, 4, 255]), writeByteArray, readByteArray),
  'blob of 5': kind(
    Buffer.from([1, 2, 3, 4, 255]),
    (p, value) => p.writeBlob(value),
    (p) => p.readBlob(),
  ),
  'boolean array': kind(
    [true, false],
    (p, value) => p.writeBooleanArray(value),
    (p) => p.readBooleanArray(),
  ),
  'int array': kind(
    [1, -1],
    (p, value) => p.writeIntArray(value),
    (p) => p.readIntArray(),
  ),
  'long array': kind(
    [1n, -1n],
    (p, value) => p.writeLongArray(value),
    (p) => p.readLongArray(),
  ),
  'float array': kind(
    [1, -2],
    (p, value) => p.writeFloatArray(value),
    (p) => p.readFloatArray(),
  ),
  'double array': kind(
    [1, -2],
    (p, value) => p.writeDoubleArray(value),
    (p) => p.readDoubleArray(),
  ),
  'string array': kind(
    ['a', null, ''],
    (p, value) => p.writeStringArray(value),
    (p) => p.readStringArray(),
  ),
  'binder array of nulls': kind(
    [null],
    (p, value) => p.writeBinderArray(value),
    (p) => p.readBinderArray(),
  ),
  'typed object': kind(new Point(1, 2), writeTyped, readPoint),
  'typed object null': kind(null, writeTyped, readPoint),
  'typed array in a typed object': kind(new Polygon([new Point(1, 2), null]), writeTyped, (p) =>
    p.readTypedObject(Polygon.CREATOR),
  ),
  'interface token': kind(
    'a.B',
    (p, value) => p.writeInterfaceToken(value),
    (p) => {
      p.enforceInterface('a.B')
      return 'a.B'
    },
  ),
  'no exception': kind(
    undefined,
    (p) => p.writeNoException(),
    (p) => p.readException(),
  ),
}

for (const [name, { value, write, read }] of Object.entries(KINDS)) {
  t.test(`${name} has its bytes, and is read from them`, async (t) => {
    using written = Parcel.obtain()
    write(written, value)
    t.equal(written.marshall().toString('hex'), layout[name])
    using received = Parcel.obtain()
    const bytes = Buffer.from(layout[name] ?? '', 'hex')
    received.unmarshall(bytes, 0, bytes.length)
    received.setDataPosition(0)
    t.strictSame(read(received), value)
    t.equal(received.dataAvail(), 0)
  })
}

t.test('exceptions have their bytes', async (t) => {
  using parcel = Parcel.obtain()
  parcel.writeException(new ServiceSpecificError(5, 'x'))
  t.equal(parcel.marshall().toString('hex'), layout['service specific exception 5 x'])
})

t.test('objects are 24 bytes with their type, and nothing that names them', async (t) => {
  using pfd = ParcelFileDescriptor.fromFd(0)
  using parcel = Parcel.obtain()
  parcel.writeFileDescriptor(pfd.getFileDescriptor())
  parcel.writeStrongBinder(new TestBinder())
  parcel.writeStrongBinder(null)
  const { data, objects } = contentsOf(parcel)
  t.equal(data.toString('hex'), layout['descriptor, binder, null binder'])
  t.strictSame(
    objects.map(({ offset, kind }) => ({ offset, kind })),
    [
      { offset: 0, kind: 'fd' },
      { offset: 24, kind: 'binder' },
    ],
  )
})
