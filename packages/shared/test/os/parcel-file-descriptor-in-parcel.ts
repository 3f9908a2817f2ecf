import { fstatSync, writeSync } from 'node:fs'
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import { leakChecked, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const INT_BYTES = 4
const OBJECT_BYTES = 24

function obtain(t: Test): api.Parcel {
  const parcel = api.Parcel.obtain()
  t.teardown(() => parcel.recycle())
  return parcel
}

/** Written by one side, read by the other. */
function transfer(t: Test, pfd: api.ParcelFileDescriptor, flags = 0): api.ParcelFileDescriptor {
  const parcel = obtain(t)
  pfd.writeToParcel(parcel, flags)
  parcel.setDataPosition(0)
  return api.ParcelFileDescriptor.CREATOR.createFromParcel(parcel)
}

t.test('the layout is int hasComm, the descriptor, the status channel', async (t) => {
  const [plain, ...others] = api.ParcelFileDescriptor.createPipe()
  const [reliable, peer] = api.ParcelFileDescriptor.createReliablePipe()
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
    t.equal(pfd.describeContents(), api.CONTENTS_FILE_DESCRIPTOR)
  }
  for (const pfd of [plain, ...others, reliable, peer]) pfd.close()
})

t.test('a descriptor that is read has an owner of its own, for the same open file', async (t) => {
  const [source, sink] = api.ParcelFileDescriptor.createPipe()
  const received = transfer(t, sink)
  t.not(received.getFd(), sink.getFd())
  t.equal(fstatSync(received.getFd()).ino, fstatSync(sink.getFd()).ino)
  sink.close()
  t.equal(writeSync(received.getFd(), 'x'), 1)
  received.close()
  source.close()
})

t.test('a return value is closed in silence, and its reader speaks for it', async (t) => {
  const [source, sink] = api.ParcelFileDescriptor.createReliablePipe()
  const received = transfer(t, sink, api.PARCELABLE_WRITE_RETURN_VALUE)
  t.throws(() => sink.getFd(), { code: 'ERR_CLOSED' })
  t.doesNotThrow(() => source.checkError(), 'the peer has heard nothing')
  t.equal(received.canDetectErrors(), true)
  received.closeWithError('from afar')
  t.throws(() => source.checkError(), { code: 'ERR_REMOTE_ERROR', message: 'Remote error: from afar' })
  source.close()
})

t.test('without that flag the writer keeps its own', async (t) => {
  const [source, sink] = api.ParcelFileDescriptor.createReliablePipe()
  const received = transfer(t, sink)
  t.equal(sink.getFileDescriptor().valid(), true)
  sink.closeWithError('the writer first')
  t.throws(() => source.checkError(), { message: 'Remote error: the writer first' })
  received.close()
  source.close()
})

t.test('a closed one is not written, not even in part', async (t) => {
  const [source, sink] = api.ParcelFileDescriptor.createReliablePipe()
  const parcel = obtain(t)
  sink.close()
  for (const flags of [0, api.PARCELABLE_WRITE_RETURN_VALUE]) {
    t.throws(() => sink.writeToParcel(parcel, flags), { code: 'ERR_CLOSED' })
  }
  t.equal(parcel.dataSize(), 0)
  source.close()
})

t.test('a parcel that does not hold what it says is refused, and nothing is left open', async (t) => {
  const cases: ((parcel: api.Parcel, fd: api.ParcelFileDescriptor) => void)[] = [
    () => {},
    (parcel) => parcel.writeInt(0),
    (parcel) => parcel.writeInt(1),
    (parcel, fd) => {
      parcel.writeInt(1)
      parcel.writeFileDescriptor(fd.getFileDescriptor())
    },
  ]
  const [source, sink] = api.ParcelFileDescriptor.createPipe()
  for (const write of cases) {
    const parcel = obtain(t)
    write(parcel, sink)
    parcel.setDataPosition(0)
    t.throws(() => api.ParcelFileDescriptor.CREATOR.createFromParcel(parcel), { code: 'ERR_BAD_PARCEL' })
  }
  source.close()
  sink.close()
})
