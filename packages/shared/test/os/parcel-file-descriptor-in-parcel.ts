import { fstatSync, writeSync } from 'node:fs'
import t, { type Test } from 'tap'
import { ParcelFileDescriptor } from '../../src/os/parcel-file-descriptor.ts'
import { CONTENTS_FILE_DESCRIPTOR, PARCELABLE_WRITE_RETURN_VALUE } from '../../src/os/parcel-port.ts'
import { Parcel } from '../../src/parcel/parcel.ts'
import { leakChecked } from '../../test-support/leaks.ts'
import { watchdog } from '../../test-support/watchdog.ts'

leakChecked(t)
watchdog(t)

const INT_BYTES = 4
const OBJECT_BYTES = 24

function obtain(t: Test): Parcel {
  const parcel = Parcel.obtain()
  t.teardown(() => parcel.recycle())
  return parcel
}

/** Written by one side, read by the other. */
function transfer(t: Test, pfd: ParcelFileDescriptor, flags = 0): ParcelFileDescriptor {
  const parcel = obtain(t)
  pfd.writeToParcel(parcel, flags)
  parcel.setDataPosition(0)
  return ParcelFileDescriptor.CREATOR.createFromParcel(parcel)
}

t.test('the layout is int hasComm, the descriptor, the status channel', async (t) => {
  const [plain, ...others] = ParcelFileDescriptor.createPipe()
  const [reliable, peer] = ParcelFileDescriptor.createReliablePipe()
  for (const { pfd, hasComm, size } of [
    { pfd: plain, hasComm: 0, size: INT_BYTES + OBJECT_BYTES },
    { pfd: reliable, hasComm: 1, size: INT_BYTES + 2 * OBJECT_BYTES },
  ]) {
    const parcel = obtain(t)
    pfd.writeToParcel(parcel, 0)
    t.equal(parcel.dataSize(), size)
    t.equal(parcel.hasFileDescriptors(), true)
    parcel.setDataPosition(0)
    t.equal(parcel.readInt(), hasComm)
    t.equal(pfd.describeContents(), CONTENTS_FILE_DESCRIPTOR)
  }
  for (const pfd of [plain, ...others, reliable, peer]) pfd.close()
})

t.test('what is read is an owner of its own, of the same description', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createPipe()
  const received = transfer(t, sink)
  t.not(received.getFd(), sink.getFd())
  t.equal(fstatSync(received.getFd()).ino, fstatSync(sink.getFd()).ino)
  sink.close()
  t.equal(writeSync(received.getFd(), 'x'), 1)
  received.close()
  source.close()
})

t.test('a return value is closed in silence, and its reader speaks for it', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createReliablePipe()
  const received = transfer(t, sink, PARCELABLE_WRITE_RETURN_VALUE)
  t.throws(() => sink.getFd(), { code: 'ERR_CLOSED' })
  t.doesNotThrow(() => source.checkError(), 'the peer has heard nothing')
  t.equal(received.canDetectErrors(), true)
  received.closeWithError('from afar')
  t.throws(() => source.checkError(), { code: 'ERR_REMOTE_ERROR', message: 'Remote error: from afar' })
  source.close()
})

t.test('without that flag the writer keeps its own', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createReliablePipe()
  const received = transfer(t, sink)
  t.equal(sink.getFileDescriptor().valid(), true)
  sink.closeWithError('the writer first')
  t.throws(() => source.checkError(), { message: 'Remote error: the writer first' })
  received.close()
  source.close()
})

t.test('a closed one is not written, not even in part', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createReliablePipe()
  const parcel = obtain(t)
  sink.close()
  for (const flags of [0, PARCELABLE_WRITE_RETURN_VALUE]) {
    t.throws(() => sink.writeToParcel(parcel, flags), { code: 'ERR_CLOSED' })
  }
  t.equal(parcel.dataSize(), 0)
  source.close()
})

t.test('a parcel that does not hold what it says is refused, and nothing is left open', async (t) => {
  const cases: ((parcel: Parcel, fd: ParcelFileDescriptor) => void)[] = [
    () => {},
    (parcel) => parcel.writeInt(0),
    (parcel) => parcel.writeInt(1),
    (parcel, fd) => {
      parcel.writeInt(1)
      parcel.writeFileDescriptor(fd.getFileDescriptor())
    },
  ]
  const [source, sink] = ParcelFileDescriptor.createPipe()
  for (const write of cases) {
    const parcel = obtain(t)
    write(parcel, sink)
    parcel.setDataPosition(0)
    t.throws(() => ParcelFileDescriptor.CREATOR.createFromParcel(parcel), { code: 'ERR_BAD_PARCEL' })
  }
  source.close()
  sink.close()
})
