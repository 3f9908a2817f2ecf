/** Sizes, positions and capacities: CTS ParcelTest re-told, and the corners around it. */
import t from 'tap'
import { Parcel } from '../../src/parcel/parcel.ts'
import { contentsOf, leakChecked } from '../../test-support/index.ts'

leakChecked(t)

function bytesOf(parcel: Parcel): string {
  return parcel.marshall().toString('hex')
}

t.test('an empty parcel is zero in every respect', async (t) => {
  using p = Parcel.obtain()
  t.strictSame([p.dataSize(), p.dataPosition(), p.dataAvail(), p.dataCapacity()], [0, 0, 0, 0])
})

t.test('each value moves size and position by its padded length', async (t) => {
  using p = Parcel.obtain()
  const sizes: [write: () => void, bytes: number][] = [
    [() => p.writeByte(1), 4],
    [() => p.writeInt(7), 4],
    [() => p.writeBoolean(true), 4],
    [() => p.writeFloat(7), 4],
    [() => p.writeLong(7n), 8],
    [() => p.writeDouble(7), 8],
    [() => p.writeString('7L'), 12],
    [() => p.writeString8('7L'), 8],
    [() => p.writeByteArray(Buffer.alloc(5)), 12],
    [() => p.writeStrongBinder(null), 24],
  ]
  for (const [write, bytes] of sizes) {
    const before = p.dataSize()
    write()
    t.equal(p.dataSize() - before, bytes)
    t.equal(p.dataPosition(), p.dataSize())
    t.equal(p.dataAvail(), 0)
  }
})

t.test('dataAvail is what lies between position and size', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(7)
  p.writeInt(5)
  p.writeLong(7n)
  p.writeString('7L')
  p.setDataPosition(0)
  const left = [() => p.readInt(), () => p.readInt(), () => p.readLong(), () => p.readString()].map((read) => {
    read()
    return p.dataAvail()
  })
  t.strictSame(left, [24, 20, 12, 0])
})

t.test('setDataSize changes the size and leaves a smaller position where it is', async (t) => {
  using p = Parcel.obtain()
  p.setDataSize(5)
  t.equal(p.dataSize(), 5)
  p.setDataSize(3)
  t.equal(p.dataSize(), 3)
  t.equal(p.dataPosition(), 0)
  p.writeInt(3)
  t.equal(p.dataSize(), 4)
  p.setDataSize(5)
  t.equal(p.dataSize(), 5)
  t.equal(p.dataPosition(), 4)
  p.setDataSize(3)
  t.equal(p.dataSize(), 3)
  t.equal(p.dataPosition(), 3, 'a larger one moves to the end')
})

t.test('setDataPosition may go past the end, which then counts as the end', async (t) => {
  using p = Parcel.obtain()
  p.setDataPosition(4)
  t.equal(p.dataPosition(), 4)
  p.setDataPosition(7)
  t.equal(p.dataPosition(), 7)
  t.equal(p.dataSize(), 7)
  t.equal(p.dataAvail(), 0)
  p.setDataPosition(0)
  t.equal(p.dataSize(), 0)
  p.writeInt(7)
  t.equal(p.dataSize(), 4)
  p.setDataPosition(7)
  t.equal(p.dataPosition(), 7)
})

t.test('-0 is 0, in what comes back too', async (t) => {
  using p = Parcel.obtain()
  p.setDataPosition(-0)
  t.equal(p.dataPosition(), 0)
  p.setDataSize(-0)
  t.equal(p.dataSize(), 0)
  t.equal(p.dataPosition(), 0)
})

t.test('a value written past the end leaves zeros before it', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(-1)
  p.setDataPosition(8)
  p.writeInt(-1)
  t.equal(bytesOf(p), 'ffffffff00000000ffffffff')
})

t.test('bytes of a parcel that is gone never show up in another', async (t) => {
  const shows: Record<string, (p: Parcel) => string> = {
    'before a value past the end': (p) => {
      p.setDataPosition(40)
      p.writeByte(0)
      return bytesOf(p)
    },
    'before a position past the end': (p) => {
      p.setDataPosition(40)
      return bytesOf(p)
    },
    'before a position far beyond': (p) => {
      p.setDataPosition(5000)
      return bytesOf(p)
    },
    'in a larger size': (p) => {
      p.setDataSize(80)
      return bytesOf(p)
    },
    'in a much larger size': (p) => {
      p.setDataSize(5000)
      return bytesOf(p)
    },
    'in the last bytes that travel': (p) => {
      p.setDataSize(1)
      return contentsOf(p).data.toString('hex')
    },
    'in padding': (p) => {
      p.writeByteArray(Buffer.alloc(1))
      return bytesOf(p).slice(8)
    },
    'in a null binder': (p) => {
      p.writeStrongBinder(null)
      return bytesOf(p)
    },
  }
  for (const [place, show] of Object.entries(shows)) {
    const gone = Parcel.obtain()
    gone.writeByteArray(Buffer.alloc(900, 0xaa))
    gone.recycle()
    using p = Parcel.obtain()
    t.match(show(p), /^(00)+$/, place)
  }
})

t.test('storage of a long parcel that is used again shows nothing of the one before', async (t) => {
  const secret = Buffer.alloc(60_000, 0xa5)
  for (let i = 0; i < 20; i++) {
    const before = Parcel.obtain()
    before.writeByteArray(secret)
    t.ok(before.marshall().subarray(4).equals(secret))
    before.recycle()
    using p = Parcel.obtain()
    p.setDataSize(50_000)
    t.ok(p.marshall().every((byte) => byte === 0))
    p.setDataPosition(61_001)
    p.writeInt(1)
    t.ok(
      p
        .marshall()
        .subarray(0, 61_001)
        .every((byte) => byte === 0),
    )
    using grown = Parcel.obtain()
    grown.writeByteArray(Buffer.alloc(65_001))
    grown.writeByteArray(Buffer.alloc(40_003)) // beyond what is kept
    t.ok(grown.marshall().every((byte, at) => byte === 0 || at < 4 || (at >= 65_008 && at < 65_012)))
  }
})

t.test('bytes that setDataSize cut off are zero when the size grows again', async (t) => {
  using p = Parcel.obtain()
  p.writeLong(-1n)
  p.setDataSize(4)
  p.setDataSize(8)
  t.equal(bytesOf(p), 'ffffffff00000000')
})

t.test('setDataCapacity only ever grows', async (t) => {
  using p = Parcel.obtain()
  const capacities = [2, 1, 3].map((capacity) => {
    p.setDataCapacity(capacity)
    return p.dataCapacity()
  })
  t.strictSame(capacities, [2, 2, 3])
  t.equal(p.dataSize(), 0)
})

t.test('capacity grows by half, at least to 128, and setDataSize to the byte', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(1)
  t.equal(p.dataCapacity(), 128)
  p.setDataSize(200)
  t.equal(p.dataCapacity(), 200)
  p.setDataPosition(200)
  p.writeInt(1)
  t.equal(p.dataCapacity(), 306)
  p.setDataSize(0)
  t.equal(p.dataCapacity(), 306)
})

t.test('values survive every growth', async (t) => {
  using p = Parcel.obtain()
  for (let i = 0; i < 20_000; i++) p.writeInt(i)
  p.setDataPosition(0)
  let wrong = 0
  for (let i = 0; i < 20_000; i++) if (p.readInt() !== i) wrong++
  t.equal(wrong, 0)
})

t.test('written values replace those at the position and no others', async (t) => {
  using p = Parcel.obtain()
  p.writeIntArray([1, 2, 3])
  p.setDataPosition(8)
  p.writeInt(-1)
  p.setDataPosition(0)
  t.strictSame(p.readIntArray(), [1, -1, 3])
})

t.test('values lie and read the same at a position that is no multiple of 4', async (t) => {
  using p = Parcel.obtain()
  p.setDataPosition(3)
  p.writeLong(-2n)
  p.writeString('odd')
  p.setDataPosition(3)
  t.equal(p.readLong(), -2n)
  t.equal(p.readString(), 'odd')
})

t.test('readers past the end answer nothing, and the position stays', async (t) => {
  using p = Parcel.obtain()
  p.setDataSize(3)
  const nothing = {
    readByte: 0,
    readInt: 0,
    readLong: 0n,
    readFloat: 0,
    readDouble: 0,
    readBoolean: false,
    readString: null,
    readString8: null,
    readByteArray: null,
    readBlob: null,
    readBooleanArray: null,
    readIntArray: null,
    readLongArray: null,
    readFloatArray: null,
    readDoubleArray: null,
    readStringArray: null,
    readBinderArray: null,
    readStrongBinder: null,
    readFileDescriptor: null,
    readException: undefined,
  } as const
  for (const [name, value] of Object.entries(nothing)) {
    t.equal(p[name as keyof typeof nothing](), value, name)
    t.equal(p.dataPosition(), 0, name)
  }
  t.equal(p.readTypedObject({ createFromParcel: () => 'value' }), null)
  t.equal(p.readTypedArray({ createFromParcel: () => 'value' }), null)
  t.equal(
    p.readInterfaceArray(() => 'value'),
    null,
  )
})

t.test('an object that only has the name of a method is not a Parcelable, a CREATOR or an interface', async (t) => {
  using p = Parcel.obtain()
  for (const wrong of [5, {}, { createFromParcel: 5, writeToParcel: null, asBinder: 'binder' }, () => undefined]) {
    for (const act of [
      () => p.readTypedObject(wrong as never),
      () => p.readTypedArray(wrong as never),
      () => p.writeTypedObject(wrong as never, 0),
      () => p.writeTypedArray([wrong as never], 0),
      () => p.writeStrongInterface(wrong as never),
      () => p.writeInterfaceArray([wrong as never]),
    ]) {
      t.throws(act, { code: 'ERR_INVALID_ARG_TYPE' })
    }
  }
  t.equal(p.dataSize(), 0)
})

t.test('a value that is half there is not there', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(-1)
  p.setDataPosition(0)
  t.equal(p.readLong(), 0n)
  t.equal(p.readDouble(), 0)
  t.equal(p.readInt(), -1)
})

t.test('a byte array whose padding was cut off reads as null', async (t) => {
  using p = Parcel.obtain()
  p.writeByteArray(Buffer.from('ab'))
  p.setDataSize(p.dataSize() - 2)
  p.setDataPosition(0)
  t.equal(p.readByteArray(), null)
})

const LENGTH_READERS = {
  readString: 2,
  readString8: 1,
  readByteArray: 1,
  readBooleanArray: 4,
  readIntArray: 4,
  readLongArray: 8,
  readFloatArray: 4,
  readDoubleArray: 8,
  readStringArray: 4,
  readBinderArray: 24,
} as const

for (const [name, elementBytes] of Object.entries(LENGTH_READERS)) {
  t.test(`${name} refuses a length that cannot be true, before it allocates`, async (t) => {
    using p = Parcel.obtain()
    p.setDataSize(100)
    for (const length of [Math.floor(96 / elementBytes) + 1, 2 ** 31 - 1]) {
      p.setDataPosition(0)
      p.writeInt(length)
      p.setDataPosition(0)
      const before = process.memoryUsage().arrayBuffers
      t.throws(() => p[name as keyof typeof LENGTH_READERS](), { code: 'ERR_BAD_PARCEL' }, `${length}`)
      t.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
    }
  })

  t.test(`${name} takes any negative length for null`, async (t) => {
    using p = Parcel.obtain()
    for (const length of [-1, -2, -(2 ** 31)]) {
      p.setDataPosition(0)
      p.writeInt(length)
      p.setDataPosition(0)
      t.equal(p[name as keyof typeof LENGTH_READERS](), null)
    }
  })
}

t.test('a string that does not end where it says reads as null', async (t) => {
  using p = Parcel.obtain()
  p.writeString('abc')
  p.setDataPosition(0)
  p.writeInt(2)
  p.setDataPosition(0)
  t.equal(p.readString(), null)
  p.setDataSize(0)
  p.writeString8('abc')
  p.setDataPosition(0)
  p.writeInt(2)
  p.setDataPosition(0)
  t.equal(p.readString8(), null)
})

t.test('bytes and half pairs that no string has become U+FFFD in String8 alone', async (t) => {
  using p = Parcel.obtain()
  p.writeString('a\udc00')
  p.writeString8('a\udc00')
  p.writeByteArray(Buffer.from([0x61, 0xff, 0]))
  p.setDataPosition(0)
  t.equal(p.readString(), 'a\udc00')
  t.equal(p.readString8(), 'a\ufffd')
  const bytes = p.dataPosition()
  p.setDataPosition(bytes)
  p.writeInt(2)
  p.setDataPosition(bytes)
  t.equal(p.readString8(), 'a\ufffd')
})

t.test('enforceNoDataAvail refuses what was not read', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(1)
  p.writeString('test')
  p.setDataPosition(0)
  p.readInt()
  t.throws(() => p.enforceNoDataAvail(), { code: 'ERR_BAD_PARCEL', message: /Parcel data not fully consumed/ })
  p.readString()
  p.enforceNoDataAvail()
})

t.test('marshall and unmarshall copy the bytes', async (t) => {
  const values = Buffer.from([127, 111, 11, 1, 0, 255, 245, 145, 128])
  using p1 = Parcel.obtain()
  p1.writeByteArray(values)
  const bytes = p1.marshall()
  using p2 = Parcel.obtain()
  p2.writeLong(-1n)
  p2.unmarshall(bytes, 0, bytes.length)
  t.equal(p2.dataPosition(), bytes.length)
  bytes.fill(0)
  p2.setDataPosition(0)
  t.strictSame(p2.readByteArray(), values)
  t.strictSame(p1.marshall().subarray(4, 13), values)
  p2.unmarshall(Buffer.from('0102030405060708', 'hex'), 4, 4)
  t.equal(bytesOf(p2), '05060708')
})

t.test('appendFrom copies a part to the position', async (t) => {
  using p = Parcel.obtain()
  p.writeIntArray([7, 5])
  using p2 = Parcel.obtain()
  p2.writeIntArray([1, 2, 3])
  p2.setDataPosition(4)
  p2.appendFrom(p, 4, 8)
  t.equal(p2.dataPosition(), 12)
  t.equal(p2.readInt(), 3)
  p2.setDataPosition(0)
  t.strictSame(p2.readIntArray(), [7, 5, 3])
  p2.appendFrom(p2, 8, 8)
  t.equal(bytesOf(p2), '030000000700000005000000030000000500000003000000', 'from itself')
  p2.appendFrom(p, p.dataSize(), 0)
  t.equal(p2.dataSize(), 24)
})

t.test('compareData compares bytes', async (t) => {
  using a = Parcel.obtain()
  using b = Parcel.obtain()
  a.writeIntArray([1, 2, 3])
  b.writeIntArray([0, 2, 3])
  t.equal(Parcel.compareData(a, 0, b, 0, 4), true)
  t.equal(Parcel.compareData(a, 0, b, 0, 8), false)
  t.equal(Parcel.compareData(a, 8, b, 8, 8), true)
  t.equal(Parcel.compareData(a, 16, b, 16, 0), true)
})

t.test('ranges outside the parcel are refused', async (t) => {
  using p = Parcel.obtain()
  using q = Parcel.obtain()
  p.writeLong(1n)
  const outside: [offset: number, length: number][] = [
    [0, 9],
    [9, 0],
    [4, 5],
    [-1, 2],
    [0, -1],
    [2 ** 31, 0],
    [0, 2 ** 31],
  ]
  for (const [offset, length] of outside) {
    const calls = {
      appendFrom: () => q.appendFrom(p, offset, length),
      compareData: () => Parcel.compareData(p, offset, p, 0, length),
      'compareData of the second': () => Parcel.compareData(p, 0, p, offset, length),
      hasFileDescriptors: () => p.hasFileDescriptors(offset, length),
      hasBinders: () => p.hasBinders(offset, length),
      unmarshall: () => q.unmarshall(Buffer.alloc(8), offset, length),
    }
    for (const [name, call] of Object.entries(calls)) {
      t.throws(call, { code: 'ERR_OUT_OF_RANGE' }, `${name} ${offset} ${length}`)
    }
  }
  t.equal(q.dataSize(), 0)
})

t.test('a parcel cannot hold more than 2^31 - 1 bytes', async (t) => {
  using p = Parcel.obtain()
  p.setDataPosition(2 ** 31 - 1)
  t.throws(() => p.writeInt(1), { code: 'ERR_OUT_OF_RANGE' })
  t.equal(p.dataPosition(), 2 ** 31 - 1)
  t.equal(p.dataCapacity(), 0)
})
