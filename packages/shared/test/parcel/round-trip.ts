/** Whatever a sequence of writers puts into a parcel, the same sequence of readers gets out of it. */
import { deepStrictEqual } from 'node:assert/strict'
import { fstat } from 'memfd-native'
import t from 'tap'
import { type FileDescriptor, Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)

const ROUNDS = 2000
const MAX_VALUES = 20
const binders = [new support.TestBinder(), new support.TestBinder(), null]
const readers = ['/dev/null', '/dev/zero'].map((path) =>
  ParcelFileDescriptor.open(path, ParcelFileDescriptor.MODE_READ_ONLY),
)
t.teardown(() => {
  for (const pfd of readers) pfd.close()
})

interface Kind<T> {
  make(random: support.Random): T
  write(parcel: Parcel, value: T): void
  read(parcel: Parcel): unknown
}

function kind<T>(make: Kind<T>['make'], write: Kind<T>['write'], read: Kind<T>['read']): Kind<unknown> {
  return { make, write: (parcel, value) => write(parcel, value as T), read }
}

const int = (random: support.Random) =>
  random.pick([random.uint32() | 0, random.below(10), -1, -(2 ** 31), 2 ** 31 - 1])
const long = (random: support.Random) => BigInt.asIntN(64, (BigInt(random.uint32()) << 32n) | BigInt(random.uint32()))
const double = (random: support.Random) => random.bytes(8).readDoubleLE()
const flag = (random: support.Random) => random.chance(50)
const text = (random: support.Random) =>
  String.fromCharCode(...random.list(random.below(20), () => random.below(0x10000)))
const string = (random: support.Random) => (random.chance(10) ? null : text(random))
const string8 = (random: support.Random) => (random.chance(10) ? null : Buffer.from(text(random)).toString())
const bytes = (random: support.Random) => (random.chance(10) ? null : random.bytes(random.below(40)))
const blob = (random: support.Random) =>
  random.chance(5) ? Buffer.alloc(16_000 + random.below(1000), random.below(256)) : bytes(random)
const binder = (random: support.Random) => random.pick(binders)
const point = (random: support.Random) => (random.chance(20) ? null : new support.Point(int(random), int(random)))
const polygon = (random: support.Random) => (random.chance(10) ? null : new support.Polygon(listOf(point)(random)))

function listOf<T>(make: (random: support.Random) => T): (random: support.Random) => T[] | null {
  return (random) => (random.chance(10) ? null : random.list(random.below(6), () => make(random)))
}

function inode(fd: FileDescriptor): number {
  return fstat(support.borrowFd(fd)).ino
}

function readInode(parcel: Parcel): number {
  using pfd = parcel.readFileDescriptor()
  return pfd === null ? -1 : inode(pfd.getFileDescriptor())
}

const KINDS: Kind<unknown>[] = [
  kind(
    (random) => random.below(256) - 128,
    (p, value) => p.writeByte(value),
    (p) => p.readByte(),
  ),
  kind(
    int,
    (p, value) => p.writeInt(value),
    (p) => p.readInt(),
  ),
  kind(
    long,
    (p, value) => p.writeLong(value),
    (p) => p.readLong(),
  ),
  kind(
    (random) => Math.fround(double(random)),
    (p, value) => p.writeFloat(value),
    (p) => p.readFloat(),
  ),
  kind(
    double,
    (p, value) => p.writeDouble(value),
    (p) => p.readDouble(),
  ),
  kind(
    flag,
    (p, value) => p.writeBoolean(value),
    (p) => p.readBoolean(),
  ),
  kind(
    string,
    (p, value) => p.writeString(value),
    (p) => p.readString(),
  ),
  kind(
    string8,
    (p, value) => p.writeString8(value),
    (p) => p.readString8(),
  ),
  kind(
    bytes,
    (p, value) => p.writeByteArray(value),
    (p) => p.readByteArray(),
  ),
  kind(
    blob,
    (p, value) => p.writeBlob(value),
    (p) => p.readBlob(),
  ),
  kind(
    listOf(flag),
    (p, value) => p.writeBooleanArray(value),
    (p) => p.readBooleanArray(),
  ),
  kind(
    listOf(int),
    (p, value) => p.writeIntArray(value),
    (p) => p.readIntArray(),
  ),
  kind(
    listOf(long),
    (p, value) => p.writeLongArray(value),
    (p) => p.readLongArray(),
  ),
  kind(
    listOf(double),
    (p, value) => p.writeDoubleArray(value),
    (p) => p.readDoubleArray(),
  ),
  kind(
    listOf(string),
    (p, value) => p.writeStringArray(value),
    (p) => p.readStringArray(),
  ),
  kind(
    binder,
    (p, value) => p.writeStrongBinder(value),
    (p) => p.readStrongBinder(),
  ),
  kind(
    listOf(binder),
    (p, value) => p.writeBinderArray(value),
    (p) => p.readBinderArray(),
  ),
  kind(
    polygon,
    (p, value) => p.writeTypedObject(value, 0),
    (p) => p.readTypedObject(support.Polygon.CREATOR),
  ),
  kind(
    listOf(polygon),
    (p, value) => p.writeTypedArray(value, 0),
    (p) => p.readTypedArray(support.Polygon.CREATOR),
  ),
  kind(
    (random) => inode(random.pick(readers).getFileDescriptor()),
    (p, value) => {
      const pfd = readers.find((reader) => inode(reader.getFileDescriptor()) === value)
      if (pfd !== undefined) p.writeFileDescriptor(pfd.getFileDescriptor())
    },
    readInode,
  ),
  kind(
    (random) => `interface ${random.below(5)}`,
    (p, value) => p.writeInterfaceToken(value),
    (p) => [0, 1, 2, 3, 4].map((i) => `interface ${i}`).find((name) => opens(p, name)),
  ),
]

function opens(parcel: Parcel, name: string): boolean {
  const position = parcel.dataPosition()
  try {
    parcel.enforceInterface(name)
    return true
  } catch {
    parcel.setDataPosition(position)
    return false
  }
}

/** A copy, as if sent and received. */
function sent(parcel: Parcel): Parcel {
  using copy = Parcel.obtain()
  copy.appendFrom(parcel, 0, parcel.dataSize())
  const { data, objects } = support.contentsOf(copy)
  const moved = objects.map((object) =>
    object.kind === 'fd' ? { ...object, fd: support.takeDescriptor(object) } : object,
  )
  return support.parcelFromWire(support.received(data), moved)
}

t.test(`${ROUNDS} random parcels read back as written, here and received (SEED=${support.seed})`, async (t) => {
  const random = new support.Random(support.seed)
  for (let round = 0; round < ROUNDS; round++) {
    const values = random.list(random.below(MAX_VALUES), () => {
      const chosen = random.pick(KINDS)
      return { chosen, value: chosen.make(random) }
    })
    using written = Parcel.obtain()
    for (const { chosen, value } of values) chosen.write(written, value)
    using received = sent(written)
    written.setDataPosition(0)
    for (const parcel of [written, received]) {
      deepStrictEqual(
        values.map(({ chosen }) => chosen.read(parcel)),
        values.map(({ value }) => value),
        `round ${round}`,
      )
      parcel.enforceNoDataAvail()
    }
  }
  t.pass()
})
