/** libcutils' ashmem functions: their errors, the protection mask, pinning, purging, and libcutils' own tests told again. */

import { constants, dup, fstat, getSeals, lseek, Mapping, memfdCreate, mmap, OwnedFd, reopen } from 'memfd-native'
import t from 'tap'
import { ashmem, FileDescriptor, MemoryFile } from '../../src/index.ts'
import { borrowFd, wrapOwnedFd } from '../../src/os/file-descriptor.ts'
import { leakChecked, nodeFs, outcome } from '../../test-support/index.ts'

leakChecked(t)

const { MAP_SHARED, PAGESIZE: PAGE, PROT_EXEC, PROT_READ, PROT_WRITE } = mmap
const { F_SEAL_FUTURE_WRITE } = constants
const O_RDONLY = 0
const WAS_PURGED = 1
const NOT_PURGED = 0
const IS_PINNED = 1
const IS_UNPINNED = 0

function mapAll(fd: FileDescriptor, prot = PROT_READ | PROT_WRITE): Mapping {
  return Mapping.map(borrowFd(fd), ashmem.getSizeRegion(fd), prot, MAP_SHARED)
}

/** A region of full pages, every byte 1. */
function fullRegion(pages: number): FileDescriptor {
  const fd = ashmem.createRegion('full', pages * PAGE)
  using mapping = mapAll(fd)
  mapping.fill(0, mapping.length, 1)
  return fd
}

/** The first byte of every page, as one string: '1101'. */
function pagesOf(fd: FileDescriptor): string {
  using mapping = mapAll(fd, PROT_READ)
  const byte = new Uint8Array(1)
  const bytes = Array.from({ length: mapping.length / PAGE }, (_, page) => {
    mapping.read(page * PAGE, byte, 0, 1)
    return byte[0]
  })
  return bytes.join('')
}

function dupOf(fd: FileDescriptor): FileDescriptor {
  return wrapOwnedFd(dup(borrowFd(fd)))
}

/** unpin and pin in pages. */
const unpin = (fd: FileDescriptor, first: number, pages: number) => ashmem.unpinRegion(fd, first * PAGE, pages * PAGE)
const pin = (fd: FileDescriptor, first: number, pages: number) => ashmem.pinRegion(fd, first * PAGE, pages * PAGE)

t.test('a region has the size it was given, a mask of 7 and all pages pinned', async (t) => {
  using fd = ashmem.createRegion(null, 1000)
  t.equal(ashmem.valid(fd), true)
  t.equal(ashmem.getSizeRegion(fd), 1000)
  t.equal(ashmem.getProtMask(fd), 7)
  t.equal(ashmem.getPinStatus(fd, 0, 0), IS_PINNED)
})

t.test('a region is made of 1 to 2^31-1 bytes', async (t) => {
  const sizes: [unknown, string][] = [
    [0, 'EINVAL'],
    [-1, 'EINVAL'],
    [2 ** 31, 'EINVAL'],
    [0.5, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    ['1', 'ERR_INVALID_ARG_TYPE'],
  ]
  for (const [size, code] of sizes) t.throws(() => ashmem.createRegion('bad', size as number), { code }, String(size))
  t.throws(() => ashmem.createRegion(undefined as unknown as null, 1), { code: 'ERR_NULL_POINTER' })
})

type Call = (fd: FileDescriptor) => unknown
const CALLS: [title: string, call: Call][] = [
  ['getSizeRegion', (fd) => ashmem.getSizeRegion(fd)],
  ['setProtRegion', (fd) => ashmem.setProtRegion(fd, 1)],
  ['getProtMask', (fd) => ashmem.getProtMask(fd)],
  ['pinRegion', (fd) => ashmem.pinRegion(fd, 0, 0)],
  ['unpinRegion', (fd) => ashmem.unpinRegion(fd, 0, 0)],
  ['getPinStatus', (fd) => ashmem.getPinStatus(fd, 0, 0)],
]

t.test('each function on what is no region', async (t) => {
  using file = wrapOwnedFd(OwnedFd.adopt(nodeFs.openSync('/dev/null', 'r')))
  const closed = ashmem.createRegion('closed', 1)
  closed.close()
  const subjects: [title: string, fd: unknown, code: string, valid: unknown][] = [
    ['another file', file, 'ENOTTY', false],
    ['a closed descriptor', closed, 'EBADF', false],
    ['a FileDescriptor that never was open', new FileDescriptor(), 'EBADF', false],
    ['null', null, 'ERR_NULL_POINTER', 'ERR_NULL_POINTER'],
    ['a number', 5, 'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE'],
  ]
  for (const [title, fd, code, valid] of subjects) {
    for (const [name, call] of CALLS) {
      t.equal(
        outcome(() => call(fd as FileDescriptor)),
        code,
        `${name} of ${title}`,
      )
    }
    t.equal(
      outcome(() => ashmem.valid(fd as FileDescriptor)),
      valid,
      `valid of ${title}`,
    )
  }
})

t.test('the mask loses bits and never gains any', async (t) => {
  using fd = ashmem.createRegion('mask', PAGE)
  ashmem.setProtRegion(fd, PROT_READ | PROT_EXEC)
  t.equal(ashmem.getProtMask(fd), PROT_READ | PROT_EXEC)
  ashmem.setProtRegion(fd, PROT_READ | PROT_EXEC)
  t.throws(() => ashmem.setProtRegion(fd, PROT_READ | PROT_WRITE), { code: 'EINVAL' })
  ashmem.setProtRegion(fd, PROT_READ)
  t.throws(() => ashmem.setProtRegion(fd, PROT_READ | PROT_EXEC), { code: 'EINVAL' })
  ashmem.setProtRegion(fd, 0)
  t.throws(() => ashmem.setProtRegion(fd, PROT_READ), { code: 'EINVAL' })
  t.equal(ashmem.getProtMask(fd), 0)
})

t.test('a mask has no other bits than 7', async (t) => {
  using fd = ashmem.createRegion('mask', PAGE)
  for (const prot of [8, -1, 0x1000007]) t.throws(() => ashmem.setProtRegion(fd, prot), { code: 'EINVAL' })
  t.throws(() => ashmem.setProtRegion(fd, 1.5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => ashmem.setProtRegion(fd, '1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  t.equal(ashmem.getProtMask(fd), 7)
})

t.test('losing WRITE is a seal: every descriptor of the region sees it', async (t) => {
  using fd = ashmem.createRegion('mask', PAGE)
  using other = dupOf(fd)
  ashmem.setProtRegion(fd, PROT_READ)
  t.equal(ashmem.getProtMask(other), PROT_READ | PROT_EXEC)
  t.throws(() => ashmem.setProtRegion(other, 7), { code: 'EINVAL' })
})

t.test('keeping WRITE seals nothing', async (t) => {
  using fd = ashmem.createRegion('mask', PAGE)
  using other = dupOf(fd)
  ashmem.setProtRegion(fd, PROT_READ | PROT_WRITE)
  t.equal(ashmem.getProtMask(fd), PROT_READ | PROT_WRITE)
  t.equal(ashmem.getProtMask(other), 7)
})

t.test('a read-only descriptor cannot take WRITE from an unsealed region', async (t) => {
  using fd = ashmem.createRegion('mask', PAGE)
  using reader = wrapOwnedFd(reopen(borrowFd(fd), O_RDONLY))
  t.throws(() => ashmem.setProtRegion(reader, PROT_READ), { code: 'EPERM' })
  t.equal(ashmem.getProtMask(reader), 7)
})

/** Of a region of 4 pages less 5 bytes. */
const INTERVALS: [title: string, offset: number, length: number, code: string | null][] = [
  ['everything', 0, 0, null],
  ['everything, said', 0, 4 * PAGE, null],
  ['the last page, which is not full', 3 * PAGE, PAGE, null],
  ['from a page to the end', PAGE, 0, null],
  ['nothing, at the end', 4 * PAGE, 0, null],
  ['an offset within a page', 1, PAGE, 'EINVAL'],
  ['a length within a page', 0, PAGE - 1, 'EINVAL'],
  ['the exact size, no page multiple', 0, 4 * PAGE - 5, 'EINVAL'],
  ['beyond the end', 0, 5 * PAGE, 'EINVAL'],
  ['an offset beyond the end', 5 * PAGE, 0, 'EINVAL'],
  ['both beyond', 4 * PAGE, PAGE, 'EINVAL'],
  ['a negative offset', -PAGE, 2 * PAGE, 'EINVAL'],
  ['a negative length', 2 * PAGE, -PAGE, 'EINVAL'],
  ['a sum beyond 32 bits', 2 ** 32 - PAGE, 2 * PAGE, 'EINVAL'],
  ['a fraction', 0.5, 0, 'ERR_OUT_OF_RANGE'],
  ['no number', Number.NaN, 0, 'ERR_OUT_OF_RANGE'],
]

t.test('an interval is whole pages within the region', async (t) => {
  using fd = ashmem.createRegion('intervals', 4 * PAGE - 5)
  for (const [title, offset, length, code] of INTERVALS) {
    const [done, pinned] = code === null ? [undefined, IS_PINNED] : [code, code]
    t.equal(
      outcome(() => ashmem.unpinRegion(fd, offset, length)),
      done,
      `unpin: ${title}`,
    )
    t.equal(
      outcome(() => ashmem.pinRegion(fd, offset, length)),
      code ?? NOT_PURGED,
      `pin: ${title}`,
    )
    t.equal(
      outcome(() => ashmem.getPinStatus(fd, offset, length)),
      pinned,
      `status: ${title}`,
    )
  }
  t.throws(() => ashmem.pinRegion(fd, '0' as unknown as number, 0), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => ashmem.unpinRegion(fd, 0, null as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('one unpinned page makes an interval unpinned', async (t) => {
  using fd = ashmem.createRegion('status', 4 * PAGE)
  unpin(fd, 2, 1)
  t.equal(ashmem.getPinStatus(fd, 0, 0), IS_UNPINNED)
  t.equal(ashmem.getPinStatus(fd, 0, 2 * PAGE), IS_PINNED)
  t.equal(ashmem.getPinStatus(fd, 2 * PAGE, PAGE), IS_UNPINNED)
  t.equal(pin(fd, 0, 4), NOT_PURGED)
  t.equal(ashmem.getPinStatus(fd, 0, 0), IS_PINNED)
})

t.test('a purge empties unpinned pages and is told by the pin, once', async (t) => {
  using fd = fullRegion(4)
  unpin(fd, 1, 2)
  t.equal(ashmem.purgeAll(), 2)
  t.equal(fstat(borrowFd(fd)).blocks * 512, 2 * PAGE, 'which gives the memory back')
  t.equal(pagesOf(fd), '1001')
  t.equal(pin(fd, 0, 2), WAS_PURGED)
  t.equal(pin(fd, 0, 2), NOT_PURGED)
  t.equal(pin(fd, 2, 2), WAS_PURGED)
  t.equal(ashmem.getSizeRegion(fd), 4 * PAGE)
})

t.test('mappings see the zeros, and what is written after them stays', async (t) => {
  using fd = fullRegion(1)
  using mapping = mapAll(fd)
  unpin(fd, 0, 1)
  ashmem.purgeAll()
  t.equal(mapping.readInt32LE(0), 0)
  mapping.writeInt32LE(0, 7)
  t.equal(ashmem.purgeAll(), 0, 'a purged range is not purged again')
  t.equal(mapping.readInt32LE(0), 7)
})

t.test('pages that are unpinned into a purged range are not purged any more', async (t) => {
  using fd = fullRegion(4)
  unpin(fd, 0, 2)
  ashmem.purgeAll()
  unpin(fd, 1, 3)
  t.equal(ashmem.purgeAll(), 0)
  t.equal(pagesOf(fd), '0011')
  t.equal(pin(fd, 3, 1), WAS_PURGED)
})

t.test('the range that was unpinned longest ago is purged first, whichever region it is in', async (t) => {
  using one = fullRegion(4)
  using other = fullRegion(4)
  unpin(one, 3, 1)
  unpin(other, 0, 1)
  unpin(one, 0, 1)
  t.equal(ashmem.purge(1), 1)
  t.same([pagesOf(one), pagesOf(other)], ['1110', '1111'])
  t.equal(ashmem.purge(1), 1)
  t.same([pagesOf(one), pagesOf(other)], ['1110', '0111'])
  t.equal(ashmem.purge(1), 1)
  t.same([pagesOf(one), pagesOf(other)], ['0110', '0111'])
  t.equal(ashmem.purge(1), 0)
})

t.test('ranges are purged whole, until enough pages are empty', async (t) => {
  using fd = fullRegion(9)
  unpin(fd, 0, 3)
  unpin(fd, 4, 2)
  unpin(fd, 7, 2)
  t.equal(ashmem.purge(0), 0)
  t.equal(ashmem.purge(4), 5)
  t.equal(pagesOf(fd), '000100111')
  t.equal(ashmem.purge(100), 2)
})

t.test('unpinning again keeps the place in the order, pinning between loses it', async (t) => {
  using fd = fullRegion(3)
  for (const page of [0, 2, 0]) unpin(fd, page, 1)
  ashmem.purge(1)
  t.equal(pagesOf(fd), '011')
  pin(fd, 0, 3)
  for (const page of [1, 2]) unpin(fd, page, 1)
  pin(fd, 1, 1)
  unpin(fd, 1, 1)
  ashmem.purge(1)
  t.equal(pagesOf(fd), '010')
})

t.test('a number of pages is an integer >= 0', async (t) => {
  for (const pages of [-1, 0.5, Number.NaN]) t.throws(() => ashmem.purge(pages), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => ashmem.purge('1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('dups share the pins, and a purge needs only one that is open', async (t) => {
  const fd = fullRegion(2)
  using other = dupOf(fd)
  unpin(fd, 0, 2)
  t.equal(ashmem.getPinStatus(other, 0, 0), IS_UNPINNED)
  fd.close()
  t.equal(ashmem.purgeAll(), 2)
  t.equal(pin(other, 0, 2), WAS_PURGED)
})

t.test('a read-only descriptor is passed over for one that can', async (t) => {
  using fd = fullRegion(1)
  using reader = wrapOwnedFd(reopen(borrowFd(fd), O_RDONLY))
  unpin(reader, 0, 1)
  t.equal(ashmem.purgeAll(), 0)
  t.equal(ashmem.getPinStatus(fd, 0, 0), IS_UNPINNED)
  t.equal(ashmem.purgeAll(), 1)
})

t.test('a region that is closed is not purged, and its pins are gone', async (t) => {
  const fd = fullRegion(1)
  using later = dupOf(fd)
  unpin(fd, 0, 1)
  fd.close()
  t.equal(ashmem.purgeAll(), 0)
  t.equal(ashmem.getPinStatus(later, 0, 0), IS_PINNED)
})

t.test('many regions that come and go leave nothing to purge', async (t) => {
  for (let round = 0; round < 300; round++) {
    using fd = ashmem.createRegion('passing', PAGE)
    unpin(fd, 0, 1)
  }
  t.equal(ashmem.purgeAll(), 0)
})

t.test('a region that is sealed for readers is never purged', async (t) => {
  using fd = fullRegion(1)
  unpin(fd, 0, 1)
  ashmem.setProtRegion(fd, PROT_READ)
  t.equal(ashmem.purgeAll(), 0)
  t.equal(pagesOf(fd), '1')
  t.equal(pin(fd, 0, 1), NOT_PURGED)
})

t.test('a MemoryFile that allows purging is a region like others', async (t) => {
  using file = new MemoryFile('file', 2 * PAGE)
  const fd = file.getFileDescriptor()
  file.allowPurging(true)
  t.equal(ashmem.getPinStatus(fd, 0, 0), IS_UNPINNED)
  ashmem.purgeAll()
  t.equal(ashmem.pinRegion(fd, 0, 0), WAS_PURGED)
  t.equal(file.readInt32BE(0), 0, 'whose purge was told already')
  t.equal(ashmem.getPinStatus(fd, 0, 0), IS_UNPINNED, 'and which is unpinned again after the access')
})

t.test('libcutils BasicTest: what is written is read through another mapping', async (t) => {
  using fd = ashmem.createRegion(null, 4 * PAGE)
  using one = mapAll(fd)
  const data = Uint8Array.from({ length: 4 * PAGE }, (_, index) => index * 31)
  one.write(0, data, 0, data.length)
  one.unmap()
  using other = mapAll(fd, PROT_READ)
  const read = new Uint8Array(data.length)
  other.read(0, read, 0, read.length)
  t.same(read, data)
})

t.test('libcutils FileOperationsTest: the size is the end of the file', async (t) => {
  using fd = ashmem.createRegion(null, 16 * PAGE)
  t.equal(lseek(borrowFd(fd), 0, constants.SEEK_END), 16 * PAGE)
  t.equal(lseek(borrowFd(fd), 99, constants.SEEK_SET), 99)
  t.equal(lseek(borrowFd(fd), -10, constants.SEEK_CUR), 89)
})

t.test('libcutils ProtTest: a mask without WRITE refuses writable mappings, in EPERM', async (t) => {
  using fd = ashmem.createRegion(null, PAGE)
  ashmem.setProtRegion(fd, PROT_READ)
  t.throws(() => mapAll(fd), { code: 'EPERM', syscall: 'mmap' })
  mapAll(fd, PROT_READ).unmap()
})

t.test('libcutils ProtTest: mappings that exist keep their rights', async (t) => {
  using fd = ashmem.createRegion(null, PAGE)
  using mapping = mapAll(fd)
  ashmem.setProtRegion(fd, PROT_READ)
  mapping.writeInt32LE(0, 7)
  t.equal(mapping.readInt32LE(0), 7)
})

t.test('a memfd of somebody else is a region too', async (t) => {
  using fd = wrapOwnedFd(memfdCreate('foreign', constants.MFD_ALLOW_SEALING))
  t.equal(ashmem.valid(fd), true)
  t.equal(ashmem.getSizeRegion(fd), 0)
  ashmem.setProtRegion(fd, PROT_READ)
  t.equal(ashmem.getProtMask(fd), PROT_READ)
  t.not(getSeals(borrowFd(fd)) & F_SEAL_FUTURE_WRITE, 0)
})
