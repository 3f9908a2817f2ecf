/** Blobs: where their bytes go, and which regions are read. */
import { addSeals, constants, ftruncate, getSeals, memfdCreate, OwnedFd } from 'memfd-native'
import t, { type Test } from 'tap'
import { MemoryFile, Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import { descriptorOf, leakChecked, parcelContents, TestBinder, wrapOwnedFd } from '../../test-support/index.ts'

leakChecked(t)

const { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_FUTURE_WRITE, MFD_ALLOW_SEALING } = constants
const LIMIT = 16 * 1024
const IMMUTABLE = 1
const MUTABLE = 2

function bytes(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, i) => i % 251))
}

for (const count of [0, 1, 3, 4, LIMIT - 1, LIMIT]) {
  t.test(`a blob of ${count} bytes is in the parcel`, async (t) => {
    using p = Parcel.obtain()
    p.writeBlob(bytes(count))
    t.equal(p.hasFileDescriptors(), false)
    t.equal(p.dataSize(), 8 + Math.ceil(count / 4) * 4)
    p.setDataPosition(0)
    t.strictSame(p.readBlob(), bytes(count))
    t.equal(p.dataAvail(), 0)
  })
}

for (const count of [LIMIT + 1, 4 * LIMIT, 3_000_000]) {
  t.test(`a blob of ${count} bytes has a region of its own`, async (t) => {
    using p = Parcel.obtain()
    p.writeBlob(bytes(count))
    t.equal(p.dataSize(), 8 + 24)
    t.equal(p.getOpenAshmemSize(), count)
    p.setDataPosition(4)
    t.equal(p.readInt(), IMMUTABLE)
    p.setDataPosition(0)
    t.strictSame(p.readBlob(), bytes(count))
    t.equal(p.dataAvail(), 0)
  })
}

t.test('the region of a blob can neither be changed nor resized', async (t) => {
  using p = Parcel.obtain()
  p.writeBlob(bytes(LIMIT + 1))
  const [object] = parcelContents(p).objects
  if (object?.kind !== 'fd') throw new Error('the blob has no descriptor')
  const seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL
  t.equal(getSeals(descriptorOf(object)) & seals, seals)
})

t.test('null is a blob', async (t) => {
  using p = Parcel.obtain()
  p.writeBlob(null)
  t.equal(p.dataSize(), 4)
  p.setDataPosition(0)
  t.equal(p.readBlob(), null)
})

t.test('for a binder that accepts no descriptors every blob stays in the parcel', async (t) => {
  using p = Parcel.obtain(new TestBinder(false))
  p.writeBlob(bytes(100_000))
  t.equal(p.hasFileDescriptors(), false)
  p.setDataPosition(0)
  t.strictSame(p.readBlob(), bytes(100_000))
  using q = Parcel.obtain(new TestBinder(true))
  q.writeBlob(bytes(100_000))
  t.equal(q.hasFileDescriptors(), true)
})

t.test("what readBlob answers is the caller's own", async (t) => {
  using p = Parcel.obtain()
  p.writeBlob(bytes(10))
  p.setDataPosition(0)
  p.readBlob()?.fill(0)
  p.setDataPosition(0)
  t.strictSame(p.readBlob(), bytes(10))
})

const WRITE_ONLY = ParcelFileDescriptor.MODE_WRITE_ONLY

/** A parcel with a blob that somebody else made: this length and kind, this descriptor. */
function foreignBlob(t: Test, length: number, tag: number, pfd: ParcelFileDescriptor | MemoryFile): Parcel {
  const p = Parcel.obtain()
  t.teardown(() => p.recycle())
  p.writeInt(length)
  p.writeInt(tag)
  p.writeFileDescriptor(pfd.getFileDescriptor())
  p.setDataPosition(0)
  return p
}

t.test('a region that its sender may still write is read all the same', async (t) => {
  using file = new MemoryFile('Parcel Blob', 20_000)
  file.writeBytes(bytes(20_000), 0, 0, 20_000)
  t.strictSame(foreignBlob(t, 20_000, MUTABLE, file).readBlob(), bytes(20_000))
  t.strictSame(foreignBlob(t, 7, IMMUTABLE, file).readBlob(), bytes(7), 'shorter than the region')
})

/** A memfd of `size` bytes without pages, as ParcelFileDescriptor. */
function memfd(t: Test, size: number, seals: number): ParcelFileDescriptor {
  using fd = memfdCreate('test', MFD_ALLOW_SEALING)
  ftruncate(fd, size)
  addSeals(fd, seals)
  using shared = wrapOwnedFd(OwnedFd.adopt(fd.release()))
  const pfd = ParcelFileDescriptor.dup(shared)
  t.teardown(() => pfd.close())
  return pfd
}

t.test('a region that can shrink, is too short, or has holes is unsafe', async (t) => {
  using file = new MemoryFile('test', 100)
  t.throws(() => foreignBlob(t, 101, IMMUTABLE, file).readBlob(), { code: 'ERR_UNSAFE_REGION' })
  t.throws(() => foreignBlob(t, 2 ** 31 - 1, IMMUTABLE, file).readBlob(), { code: 'ERR_UNSAFE_REGION' })
  t.throws(() => foreignBlob(t, 10, IMMUTABLE, memfd(t, 100, 0)).readBlob(), { code: 'ERR_UNSAFE_REGION' })
  const hollow = memfd(t, 2 ** 31, F_SEAL_SHRINK)
  t.throws(() => foreignBlob(t, 2 ** 31 - 1, IMMUTABLE, hollow).readBlob(), { code: 'ERR_UNSAFE_REGION' })
})

t.test('a region for writing only, or of no bytes, is refused by a code of ours', async (t) => {
  using file = new MemoryFile('test', 20_000)
  using writing = ParcelFileDescriptor.open(`/proc/self/fd/${file.getFileDescriptor().getInt()}`, WRITE_ONLY)
  t.throws(() => foreignBlob(t, 10, IMMUTABLE, writing).readBlob(), { code: 'ERR_NOT_A_REGION' })
  for (const tag of [IMMUTABLE, MUTABLE]) {
    t.throws(() => foreignBlob(t, 0, tag, file).readBlob(), { code: 'ERR_BAD_PARCEL' })
  }
})

t.test('a descriptor of something else is no region', async (t) => {
  using device = ParcelFileDescriptor.open('/dev/zero', ParcelFileDescriptor.MODE_READ_ONLY)
  t.throws(() => foreignBlob(t, 10, IMMUTABLE, device).readBlob(), { code: 'ERR_NOT_A_REGION' })
})

t.test('a blob without its descriptor, or of an unknown kind, is a bad parcel', async (t) => {
  for (const tag of [0, IMMUTABLE, MUTABLE, 3, -1]) {
    using p = Parcel.obtain()
    p.writeInt(20_000)
    p.writeInt(tag)
    p.setDataSize(200)
    p.setDataPosition(0)
    t.throws(() => p.readBlob(), { code: 'ERR_BAD_PARCEL' }, `${tag}`)
  }
})
