/** Descriptors and binders in a parcel: who owns them, what may touch their bytes, and the seams for the layers above. */
import { writeSync } from 'node:fs'
import { dup, fstat } from 'memfd-native'
import t, { type Test } from 'tap'
import { FileDescriptor, type IBinder, MemoryFile, Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)

function identity(fd: FileDescriptor): [device: number, inode: number] {
  const { dev, ino } = fstat(support.borrowFd(fd))
  return [dev, ino]
}

/** A pipe's two ends, closed with the test. */
function pipe(t: Test): [ParcelFileDescriptor, ParcelFileDescriptor] {
  const ends = ParcelFileDescriptor.createPipe()
  t.teardown(() => {
    for (const end of ends) end.close()
  })
  return ends
}

t.test('a descriptor comes out as another number of the same file', async (t) => {
  const [reader, writer] = pipe(t)
  using p = Parcel.obtain()
  p.writeFileDescriptor(writer.getFileDescriptor())
  t.equal(p.dataSize(), 24)
  p.setDataPosition(0)
  using received = p.readFileDescriptor() as ParcelFileDescriptor
  t.equal(p.dataPosition(), 24)
  t.strictSame(identity(received.getFileDescriptor()), identity(writer.getFileDescriptor()))
  t.not(received.getFd(), writer.getFd())
  writeSync(received.getFd(), 'x')
  t.equal(new ParcelFileDescriptor.AutoCloseInputStream(reader).read(), 'x'.charCodeAt(0))
})

t.test('writer, parcel and each reader own one descriptor each', async (t) => {
  const [, writer] = pipe(t)
  const before = support.openDescriptors().length
  using p = Parcel.obtain()
  p.writeFileDescriptor(writer.getFileDescriptor())
  t.equal(support.openDescriptors().length, before + 1)
  writer.close()
  p.setDataPosition(0)
  const first = p.readFileDescriptor()
  p.setDataPosition(0)
  const second = p.readFileDescriptor()
  t.equal(support.openDescriptors().length, before + 2, 'parcel, first, second, but not the writer')
  p.recycle()
  t.equal(support.openDescriptors().length, before + 1)
  for (const pfd of [first, second]) {
    t.ok(pfd?.getFileDescriptor().valid())
    pfd?.close()
  }
})

t.test('a closed descriptor is EBADF, and nothing is written', async (t) => {
  using p = Parcel.obtain()
  const [reader] = pipe(t)
  const fd = reader.getFileDescriptor()
  reader.close()
  for (const closed of [fd, new FileDescriptor()]) {
    t.throws(() => p.writeFileDescriptor(closed), { code: 'EBADF' })
    t.equal(p.dataSize(), 0)
  }
})

t.test('descriptors that are cut off are closed', async (t) => {
  const [reader, writer] = pipe(t)
  using p = Parcel.obtain()
  const before = support.openDescriptors().length
  p.writeFileDescriptor(reader.getFileDescriptor())
  p.writeInt(1)
  p.writeFileDescriptor(writer.getFileDescriptor())
  const counts = [52, 51, 24, 23, 0].map((size) => {
    p.setDataSize(size)
    return support.openDescriptors().length - before
  })
  t.strictSame(counts, [2, 1, 1, 0, 0])
})

t.test('unmarshall drops the objects that were there', async (t) => {
  const [reader] = pipe(t)
  using p = Parcel.obtain()
  const before = support.openDescriptors().length
  p.writeFileDescriptor(reader.getFileDescriptor())
  p.unmarshall(Buffer.alloc(24), 0, 24)
  t.equal(support.openDescriptors().length, before)
  t.equal(p.hasFileDescriptors(), false)
})

t.test('a parcel with objects has no bytes to marshall', async (t) => {
  using p = Parcel.obtain()
  p.writeStrongBinder(null)
  t.equal(p.marshall().length, 24)
  p.writeStrongBinder(new support.TestBinder())
  t.throws(() => p.marshall(), { code: 'ERR_ILLEGAL_STATE' })
})

t.test('a binder comes out as the same object, null as null', async (t) => {
  const binder = new support.TestBinder()
  using p = Parcel.obtain()
  p.writeStrongBinder(binder)
  p.writeStrongBinder(null)
  p.writeStrongInterface({ asBinder: () => binder })
  p.writeStrongInterface(null)
  p.setDataPosition(0)
  t.equal(p.readStrongBinder(), binder)
  t.equal(p.readStrongBinder(), null)
  t.equal(p.readStrongBinder(), binder)
  t.equal(p.readStrongBinder(), null)
  t.equal(p.dataAvail(), 0)
})

t.test('arrays of binders and interfaces keep order and nulls', async (t) => {
  const binders = [new support.TestBinder(), null, new support.TestBinder()]
  const interfaces = binders.map((binder) => (binder === null ? null : { asBinder: () => binder }))
  using p = Parcel.obtain()
  p.writeBinderArray(binders)
  p.writeBinderArray([])
  p.writeBinderArray(null)
  p.writeInterfaceArray(interfaces)
  p.writeInterfaceArray(null)
  p.setDataPosition(0)
  t.strictSame(p.readBinderArray(), binders)
  t.strictSame(p.readBinderArray(), [])
  t.equal(p.readBinderArray(), null)
  t.strictSame(
    p.readInterfaceArray((binder: IBinder | null) => binder && { wraps: binder }),
    binders.map((binder) => binder && { wraps: binder }),
  )
  t.equal(
    p.readInterfaceArray((binder) => binder),
    null,
  )
})

t.test('an object of the other kind, or none, reads as null and moves the position by 24', async (t) => {
  const [reader] = pipe(t)
  using p = Parcel.obtain()
  p.writeStrongBinder(new support.TestBinder())
  p.writeFileDescriptor(reader.getFileDescriptor())
  p.setDataSize(48 + 30)
  p.setDataPosition(0)
  t.equal(p.readFileDescriptor(), null)
  t.equal(p.dataPosition(), 24)
  t.equal(p.readStrongBinder(), null)
  t.equal(p.readFileDescriptor(), null)
  t.equal(p.dataPosition(), 72)
  t.equal(p.readFileDescriptor(), null)
  t.equal(p.dataPosition(), 72, 'less than 24 bytes are left')
  p.setDataPosition(4)
  t.equal(p.readStrongBinder(), null, 'inside an object')
})

t.test('bytes of an object are not read as values, wherever the read begins', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(1)
  p.writeStrongBinder(new support.TestBinder())
  p.writeInt(2)
  p.writeStrongBinder(new support.TestBinder())
  p.writeInt(3)
  const outcomes: string[] = []
  for (let position = 0; position <= 60; position++) {
    p.setDataPosition(position)
    try {
      p.readInt()
      outcomes.push('value')
    } catch (error) {
      outcomes.push((error as { code: string }).code)
      t.equal(p.dataPosition(), position + 4, 'the position moves, so that a loop of reads ends')
    }
  }
  const values = outcomes.flatMap((outcome, position) => (outcome === 'value' ? [position] : []))
  t.strictSame(values, [0, 28, 56, 57, 58, 59, 60])
  t.strictSame([...new Set(outcomes)], ['value', 'ERR_SECURITY'])
})

t.test('every plain reader and writer keeps off an object', async (t) => {
  const binder = new support.TestBinder()
  using p = Parcel.obtain()
  p.writeStrongBinder(binder)
  p.writeInt(0)
  const calls: Record<string, () => unknown> = {
    readInt: () => p.readInt(),
    readLong: () => p.readLong(),
    readDouble: () => p.readDouble(),
    readBoolean: () => p.readBoolean(),
    readString: () => p.readString(),
    readByteArray: () => p.readByteArray(),
    readBlob: () => p.readBlob(),
    writeInt: () => p.writeInt(0),
    writeLong: () => p.writeLong(0n),
    writeString: () => p.writeString('x'),
    writeByteArray: () => p.writeByteArray(Buffer.alloc(1)),
    writeStrongBinder: () => p.writeStrongBinder(binder),
    'writeStrongBinder null': () => p.writeStrongBinder(null),
    'appendFrom itself': () => p.appendFrom(p, 24, 4),
  }
  for (const [name, call] of Object.entries(calls)) {
    for (const position of [0, 4, 20]) {
      p.setDataPosition(position)
      t.throws(call, { code: 'ERR_SECURITY' }, `${name} at ${position}`)
    }
  }
  p.setDataPosition(0)
  t.equal(p.readStrongBinder(), binder, 'which is as it was')
  t.equal(p.dataSize(), 28)
})

t.test('a descriptor that finds no place is closed again', async (t) => {
  const [reader] = pipe(t)
  using p = Parcel.obtain()
  p.writeStrongBinder(new support.TestBinder())
  const before = support.openDescriptors().length
  p.setDataPosition(0)
  t.throws(() => p.writeFileDescriptor(reader.getFileDescriptor()), { code: 'ERR_SECURITY' })
  p.setDataPosition(26)
  t.throws(() => p.writeFileDescriptor(reader.getFileDescriptor()), { code: 'ERR_ILLEGAL_STATE' })
  t.equal(support.openDescriptors().length, before)
})

t.test('objects written out of order are found all the same', async (t) => {
  const binders = [new support.TestBinder(), new support.TestBinder(), new support.TestBinder()]
  using p = Parcel.obtain()
  for (const index of [2, 0, 1]) {
    p.setDataPosition(index * 24)
    p.writeStrongBinder(binders[index] as IBinder)
  }
  p.setDataPosition(0)
  t.strictSame([p.readStrongBinder(), p.readStrongBinder(), p.readStrongBinder()], binders)
  t.strictSame(
    support.parcelContents(p).objects.map(({ offset }) => offset),
    [0, 24, 48],
  )
})

t.test('a binder written after setDataSize cut another one is the one that is read', async (t) => {
  const [first, second] = [new support.TestBinder(), new support.TestBinder()]
  using p = Parcel.obtain()
  p.writeStrongBinder(first)
  p.setDataSize(0)
  p.writeStrongBinder(second)
  p.setDataPosition(0)
  t.equal(p.readStrongBinder(), second)
})

t.test('hasFileDescriptors and hasBinders see whole objects in a range', async (t) => {
  const [reader] = pipe(t)
  using p = Parcel.obtain()
  p.writeInt(0)
  p.writeFileDescriptor(reader.getFileDescriptor())
  p.writeStrongBinder(new support.TestBinder())
  p.writeStrongBinder(null)
  const answers = (...range: [offset?: number, length?: number]) => [
    p.hasFileDescriptors(...range),
    p.hasBinders(...range),
  ]
  t.strictSame(answers(), [true, true])
  t.strictSame(answers(4, 24), [true, false])
  t.strictSame(answers(4, 23), [false, false])
  t.strictSame(answers(5, 47), [false, true])
  t.strictSame(answers(28), [false, true])
  t.strictSame(answers(52), [false, false])
  t.strictSame(answers(76, 0), [false, false])
})

t.test('appendFrom takes whole objects along, with descriptors of its own', async (t) => {
  const [reader] = pipe(t)
  const binder = new support.TestBinder()
  using source = Parcel.obtain()
  source.writeInt(1)
  source.writeFileDescriptor(reader.getFileDescriptor())
  source.writeStrongBinder(binder)
  source.writeInt(2)
  using target = Parcel.obtain()
  target.writeInt(0)
  const before = support.openDescriptors().length
  target.appendFrom(source, 4, 52)
  t.equal(support.openDescriptors().length, before + 1)
  source.recycle()
  target.setDataPosition(4)
  using received = target.readFileDescriptor() as ParcelFileDescriptor
  t.strictSame(identity(received.getFileDescriptor()), identity(reader.getFileDescriptor()))
  t.equal(target.readStrongBinder(), binder)
  t.equal(target.readInt(), 2)
})

t.test('appendFrom leaves half an object behind', async (t) => {
  const [reader] = pipe(t)
  using source = Parcel.obtain()
  source.writeInt(1)
  source.writeFileDescriptor(reader.getFileDescriptor())
  source.writeInt(2)
  using target = Parcel.obtain()
  target.appendFrom(source, 0, 24)
  t.equal(target.hasFileDescriptors(), false)
  t.equal(target.readFileDescriptor(), null)
  target.setDataPosition(0)
  t.equal(target.readInt(), 1)
})

t.test('appendFrom that fails leaves no descriptor and no byte', async (t) => {
  const [reader] = pipe(t)
  using source = Parcel.obtain()
  source.writeFileDescriptor(reader.getFileDescriptor())
  using target = Parcel.obtain()
  target.writeStrongBinder(new support.TestBinder())
  const before = support.openDescriptors().length
  const failures: [position: number, code: string][] = [
    [0, 'ERR_SECURITY'],
    [25, 'ERR_ILLEGAL_STATE'],
  ]
  for (const [position, code] of failures) {
    target.setDataPosition(position)
    t.throws(() => target.appendFrom(source, 0, 24), { code })
    target.setDataPosition(0)
    t.equal(target.dataSize(), 24)
  }
  t.equal(support.openDescriptors().length, before)
})

t.test('getOpenAshmemSize adds up the regions that the parcel owns', async (t) => {
  const [reader] = pipe(t)
  using file = new MemoryFile('test', 5000)
  using p = Parcel.obtain()
  t.equal(p.getOpenAshmemSize(), 0)
  p.writeFileDescriptor(file.getFileDescriptor())
  p.writeFileDescriptor(reader.getFileDescriptor())
  t.equal(p.getOpenAshmemSize(), 5000)
  p.writeFileDescriptor(file.getFileDescriptor())
  t.equal(p.getOpenAshmemSize(), 10_000)
})

t.test("parcelContents is a look: data as it travels, descriptors still the parcel's", async (t) => {
  const [reader] = pipe(t)
  using p = Parcel.obtain()
  p.writeFileDescriptor(reader.getFileDescriptor())
  p.writeInt(-1)
  p.setDataSize(26)
  const { data, objects } = support.contentsOf(p)
  t.equal(data.toString('hex'), `01000000${'00'.repeat(20)}ffff0000`, 'padded to a multiple of 4')
  t.equal(objects.length, 1)
  t.equal(p.dataSize(), 26)
  p.setDataPosition(0)
  p.readFileDescriptor()?.close()
})

t.test('a descriptor that was taken out of a parcel can neither be read nor copied again', async (t) => {
  const [, writer] = pipe(t)
  const before = support.openDescriptors().length
  using p = Parcel.obtain()
  p.writeFileDescriptor(writer.getFileDescriptor())
  p.setDataPosition(0)
  const taken = p.takeOwnedFd()
  t.equal(support.openDescriptors().length, before + 1, 'no duplicate was made')
  for (const read of [() => p.readFileDescriptor(), () => p.readOwnedFd(), () => p.takeOwnedFd()]) {
    p.setDataPosition(0)
    t.throws(read, { code: 'EBADF' })
  }
  t.throws(() => Parcel.obtain().appendFrom(p, 0, p.dataSize()), { code: 'EBADF' })
  p.recycle()
  t.equal(taken.isClosed, false, 'recycling the parcel leaves it alone')
  taken.close()
})

t.test('without a descriptor at the position none can be taken', async (t) => {
  using p = Parcel.obtain()
  p.writeStrongBinder(new support.TestBinder())
  for (const read of [() => p.readOwnedFd(), () => p.takeOwnedFd()]) {
    p.setDataPosition(0)
    t.throws(read, { code: 'ERR_BAD_PARCEL' })
  }
})

/** Bytes and objects as the layer above hands them over: an int, a descriptor, a binder. */
function wire(t: Test): { data: Buffer; objects: support.ParcelObject[]; source: FileDescriptor; binder: IBinder } {
  const [reader] = pipe(t)
  const source = reader.getFileDescriptor()
  const binder = new support.TestBinder()
  const fd = dup(support.borrowFd(source))
  const data = Buffer.alloc(52)
  data.writeInt32LE(7, 0)
  const objects: support.ParcelObject[] = [
    { offset: 4, kind: 'fd', fd },
    { offset: 28, kind: 'binder', binder },
  ]
  return { data, objects, source, binder }
}

t.test('parcelFromWire owns what it is given', async (t) => {
  const { data, objects, source, binder } = wire(t)
  const p = support.parcelFromWire(support.received(data), objects)
  t.equal(p.dataPosition(), 0)
  t.equal(p.dataSize(), 52)
  t.equal(p.readInt(), 7)
  using descriptor = p.readFileDescriptor() as ParcelFileDescriptor
  t.strictSame(identity(descriptor.getFileDescriptor()), identity(source))
  t.equal(p.readStrongBinder(), binder)
  p.recycle()
})

t.test('replaceContents drops what the parcel held, and works twice', async (t) => {
  const [, writer] = pipe(t)
  using p = Parcel.obtain()
  p.writeFileDescriptor(writer.getFileDescriptor())
  const before = support.openDescriptors().length
  for (const round of [1, 2]) {
    const { data, objects } = wire(t)
    support.replaceContents(p, support.received(data), objects)
    t.equal(p.readInt(), 7, `round ${round}`)
  }
  p.setDataSize(0)
  t.equal(p.dataSize(), 0)
  t.equal(support.openDescriptors().length, before - 1 + 2 * 2, 'the pipes of the two rounds')
})

t.test('replaceContents of a parcel that was recycled meanwhile closes what came', async (t) => {
  const p = Parcel.obtain()
  p.recycle()
  const { data, objects } = wire(t)
  const before = support.openDescriptors().length
  t.throws(() => support.replaceContents(p, support.received(data), objects), { code: 'ERR_CLOSED' })
  t.equal(support.openDescriptors().length, before - 1)
})

t.test('2,000 rounds of descriptors leave nothing behind', async (t) => {
  const [reader] = pipe(t)
  const before = support.openDescriptors().length
  for (let round = 0; round < 2000; round++) {
    using p = Parcel.obtain()
    p.writeFileDescriptor(reader.getFileDescriptor())
    p.setDataPosition(0)
    p.readFileDescriptor()?.close()
  }
  t.equal(support.openDescriptors().length, before)
})
