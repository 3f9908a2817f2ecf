/** MemoryFile: creation, references, bounds, purging, and the tests that Android's CTS has for it, told again. */

import { addSeals, constants, fstat, ftruncate, getSeals, memfdCreate, mmap, OwnedFd } from 'memfd-native'
import t from 'tap'
import { ashmem, FileDescriptor, MemoryFile } from '../../src/index.ts'
import { borrowFd, wrapOwnedFd } from '../../src/os/file-descriptor.ts'
import { leakChecked, nodeFs } from '../../test-support/index.ts'

leakChecked(t)

const { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, MFD_ALLOW_SEALING } = constants
const O_CLOEXEC = 0o2000000

/** Bytes of a file, as an array. */
function contents(file: MemoryFile): number[] {
  const buffer = new Uint8Array(file.length())
  file.readBytes(buffer, 0, 0, buffer.length)
  return [...buffer]
}

function fill(file: MemoryFile, byte: number): void {
  file.writeBytes(new Uint8Array(file.length()).fill(byte), 0, 0, file.length())
}

/** The memory that the region takes, in bytes. */
function allocatedBytes(file: MemoryFile): number {
  return fstat(borrowFd(file.getFileDescriptor())).blocks * 512
}

function shrinkableMemfd(size: number): FileDescriptor {
  const memfd = memfdCreate('shrinkable', MFD_ALLOW_SEALING)
  ftruncate(memfd, size)
  return wrapOwnedFd(memfd)
}

function sealsOf(file: MemoryFile): number {
  return getSeals(borrowFd(file.getFileDescriptor()))
}

t.test('a new file', async (t) => {
  using file = new MemoryFile('Ashmem', 10)
  const fd = file.getFileDescriptor().getInt()
  t.equal(file.length(), 10)
  t.same(contents(file), new Array(10).fill(0), 'is zeros')
  t.equal(file.isPurgingAllowed(), false)
  t.equal(file.isDeactivated(), false)
  t.equal(nodeFs.readlinkSync(`/proc/self/fd/${fd}`), '/memfd:Ashmem (deleted)')
  const flags = /^flags:\s+(\d+)$/m.exec(nodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  t.equal(Number.parseInt(flags ?? '0', 8) & O_CLOEXEC, O_CLOEXEC, 'is close-on-exec')
  t.equal(sealsOf(file) & (F_SEAL_SHRINK | F_SEAL_GROW), F_SEAL_SHRINK | F_SEAL_GROW, 'has its size frozen')
  t.equal(sealsOf(file) & (F_SEAL_FUTURE_WRITE | F_SEAL_SEAL), 0, 'and not more')
})

t.test('the file has all of its memory from the start', async (t) => {
  using file = new MemoryFile('allocated', 10 * mmap.PAGESIZE)
  t.equal(allocatedBytes(file), 10 * mmap.PAGESIZE)
})

const LENGTHS: [length: unknown, code: string][] = [
  [0, 'ERR_INVALID_ARG_VALUE'],
  [-1, 'ERR_INVALID_ARG_VALUE'],
  [1.5, 'ERR_INVALID_ARG_VALUE'],
  [Number.NaN, 'ERR_INVALID_ARG_VALUE'],
  [2 ** 31, 'ERR_INVALID_ARG_VALUE'],
  ['4', 'ERR_INVALID_ARG_TYPE'],
  [4n, 'ERR_INVALID_ARG_TYPE'],
  [null, 'ERR_INVALID_ARG_TYPE'],
  [undefined, 'ERR_INVALID_ARG_TYPE'],
]

t.test('a file has at least one byte and at most 2^31-1', async (t) => {
  for (const [length, code] of LENGTHS) {
    t.throws(() => new MemoryFile('bad', length as number), { code }, String(length))
  }
})

const NAMES: [name: string | null, link: string][] = [
  [null, 'none'],
  ['', ''],
  ['a/b', 'a/b'],
  ['x'.repeat(249), 'x'.repeat(249)],
  ['x'.repeat(250), 'x'.repeat(249)],
  ['ä'.repeat(125), 'ä'.repeat(124)],
  [`${'x'.repeat(248)}ä`, 'x'.repeat(248)],
  [`${'x'.repeat(246)}\u{1f600}`, 'x'.repeat(246)],
  [`${'x'.repeat(245)}\u{1f600}y`, `${'x'.repeat(245)}\u{1f600}`],
]

t.test('a name is cut to 249 bytes of whole characters', async (t) => {
  for (const [name, link] of NAMES) {
    using file = new MemoryFile(name, 1)
    t.equal(nodeFs.readlinkSync(`/proc/self/fd/${file.getFileDescriptor().getInt()}`), `/memfd:${link} (deleted)`)
  }
})

t.test('a name is a string or null, without NUL', async (t) => {
  t.throws(() => new MemoryFile('a\0b', 1), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => new MemoryFile(5 as unknown as string, 1), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('a reference reads what the owner writes', async (t) => {
  using owner = new MemoryFile('owner', 4)
  using pfd = owner.getParcelFileDescriptor()
  using reference = new MemoryFile(pfd.getFileDescriptor(), 4, 'r')
  owner.writeInt32BE(0, -2)
  t.same(contents(reference), [255, 255, 255, 254])
  t.equal(reference.readInt32BE(0), -2)
})

t.test('a reference may map less than the whole region', async (t) => {
  using owner = new MemoryFile('owner', 10)
  using pfd = owner.getParcelFileDescriptor()
  using reference = new MemoryFile(pfd.getFileDescriptor(), 4, 'r')
  t.equal(reference.length(), 4)
  t.throws(() => reference.readBytes(new Uint8Array(8), 4, 0, 1), { code: 'ERR_OUT_OF_RANGE' })
})

t.test('a reference shares its descriptor object: closed is closed for both, once', async (t) => {
  using file = new MemoryFile('shared', 4)
  const reference = new MemoryFile(file.getFileDescriptor(), 4, 'r')
  reference.close()
  t.equal(file.getFileDescriptor().valid(), false)
  file.writeInt32BE(0, 7)
  t.equal(file.readInt32BE(0), 7, 'the mapping of the owner lives')
})

t.test('why a reference is refused, in the order of the checks', async (t) => {
  using file = new MemoryFile('file', 8)
  using shrinkable = shrinkableMemfd(8)
  using notARegion = wrapOwnedFd(OwnedFd.adopt(nodeFs.openSync('/dev/null', 'r')))
  const region = file.getFileDescriptor()
  const refused: [fd: unknown, length: unknown, mode: unknown, code: string][] = [
    [null, -1, 'w', 'ERR_NULL_POINTER'],
    [undefined, 8, 'r', 'ERR_NULL_POINTER'],
    [region.getInt(), 8, 'r', 'ERR_INVALID_ARG_TYPE'],
    ['name', 8, 'r', 'ERR_INVALID_ARG_TYPE'],
    [new FileDescriptor(), 8, 'r', 'EBADF'],
    [notARegion, -1, 'w', 'ERR_NOT_A_REGION'],
    [shrinkable, -1, 'w', 'ERR_INVALID_ARG_VALUE'],
    [region, 8, 'rw', 'ERR_INVALID_ARG_VALUE'],
    [region, 8, null, 'ERR_INVALID_ARG_VALUE'],
    [region, 8, undefined, 'ERR_INVALID_ARG_VALUE'],
    [region, 8, 5, 'ERR_INVALID_ARG_TYPE'],
    [shrinkable, 0, 'r', 'ERR_INVALID_ARG_VALUE'],
    [region, 1.5, 'r', 'ERR_INVALID_ARG_VALUE'],
    [region, '8', 'r', 'ERR_INVALID_ARG_TYPE'],
    [shrinkable, 8, 'r', 'ERR_UNSAFE_REGION'],
    [region, 9, 'r', 'ERR_UNSAFE_REGION'],
  ]
  for (const [index, [fd, length, mode, code]] of refused.entries()) {
    t.throws(() => new MemoryFile(fd as FileDescriptor, length as number, mode as 'r'), { code }, `${index}: ${code}`)
  }
  t.ok(notARegion.valid() && shrinkable.valid() && region.valid(), 'and none of them was closed')
})

/** [offset in the array of 10, offset in the file of 8, count] */
const BOUNDS_KEPT: [number, number, number][] = [
  [0, 0, 8],
  [2, 0, 8],
  [0, 8, 0],
  [10, 8, 0],
  [9, 7, 1],
]
const BOUNDS_BROKEN: [number, number, number][] = [
  [-1, 0, 1],
  [11, 0, 0],
  [0, -1, 1],
  [0, 9, 0],
  [0, 0, -1],
  [0, 0, 9],
  [3, 0, 8],
  [10, 0, 1],
  [0, 8, 1],
  [0, 1, 8],
  [0, 2 ** 31 - 1, 2 ** 31 - 1],
  [2 ** 53, 2 ** 53, 2 ** 53],
  [Number.NaN, 0, 1],
  [0, 0.5, 1],
  [0, 0, Number.POSITIVE_INFINITY],
]

t.test('a copy lies within array and file, or nothing happens', async (t) => {
  using file = new MemoryFile('bounds', 8)
  const array = new Uint8Array(10).fill(1)
  for (const [inArray, inFile, count] of BOUNDS_KEPT) {
    t.equal(file.readBytes(new Uint8Array(10), inFile, inArray, count), count)
    t.equal(file.writeBytes(new Uint8Array(10), inArray, inFile, count), undefined)
  }
  for (const [inArray, inFile, count] of BOUNDS_BROKEN) {
    const title = `array ${inArray}, file ${inFile}, count ${count}`
    t.throws(() => file.readBytes(array, inFile, inArray, count), { code: 'ERR_OUT_OF_RANGE' }, title)
    t.throws(() => file.writeBytes(array, inArray, inFile, count), { code: 'ERR_OUT_OF_RANGE' }, title)
  }
  t.same([...array], new Array(10).fill(1))
  t.same(contents(file), new Array(8).fill(0))
})

t.test('-0 is 0, in what comes back too', async (t) => {
  using file = new MemoryFile('zero', 4)
  t.equal(file.readBytes(new Uint8Array(4), -0, -0, -0), 0)
  t.equal(file.getInputStream().skip(-0), 0)
})

t.test('wrong types are refused by type', async (t) => {
  using file = new MemoryFile('types', 8)
  const array = new Uint8Array(8)
  const calls: [unknown[], code: string][] = [
    [[null, 0, 0, 1], 'ERR_NULL_POINTER'],
    [['text', 0, 0, 1], 'ERR_INVALID_ARG_TYPE'],
    [[new Uint16Array(8), 0, 0, 1], 'ERR_INVALID_ARG_TYPE'],
    [[new ArrayBuffer(8), 0, 0, 1], 'ERR_INVALID_ARG_TYPE'],
    [[array, '0', 0, 1], 'ERR_INVALID_ARG_TYPE'],
    [[array, 0, null, 1], 'ERR_INVALID_ARG_TYPE'],
    [[array, 0, 0, 1n], 'ERR_INVALID_ARG_TYPE'],
    [[array, 0, 0], 'ERR_INVALID_ARG_TYPE'],
  ]
  for (const [args, code] of calls) {
    const copy = args as [Uint8Array, number, number, number]
    t.throws(() => file.readBytes(...copy), { code })
    t.throws(() => file.writeBytes(...copy), { code })
  }
  t.throws(() => file.allowPurging(1 as unknown as boolean), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('ints are stored in the order of their name', async (t) => {
  using file = new MemoryFile('ints', 8)
  file.writeInt32BE(0, 0x01020304)
  file.writeInt32LE(4, 0x01020304)
  t.same(contents(file), [1, 2, 3, 4, 4, 3, 2, 1])
  t.equal(file.readInt32LE(0), 0x04030201)
  t.equal(file.readInt32BE(4), 0x04030201)
  for (const value of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    file.writeInt32BE(4, value)
    t.equal(file.readInt32BE(4), value)
  }
})

t.test('a word that is read and written again and again is checked as at first', async (t) => {
  using file = new MemoryFile('again', 8)
  using reader = new MemoryFile(file.shareReadOnly().getFileDescriptor(), 8, 'r')
  for (let round = 0; round < 5; round++) {
    for (const value of [round, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      file.writeInt32BE(4, value)
      t.same([file.readInt32BE(4), reader.readInt32BE(4), file.readInt32BE(0)], [value, value, 0])
    }
    for (const value of [2 ** 31, 0.5, Number.NaN, ...(['1', 1n, Symbol('1'), { valueOf: () => 1 }] as never[])]) {
      t.throws(() => file.writeInt32BE(4, value), { code: /ERR_OUT_OF_RANGE|ERR_INVALID_ARG_TYPE/ }, String(value))
    }
    t.throws(() => reader.writeInt32BE(4, 1), { code: 'ERR_READ_ONLY' })
    t.throws(() => file.readInt32BE('4' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  t.equal(file.readInt32BE(4), -(2 ** 31))
  file.deactivate()
  t.throws(() => file.writeInt32BE(4, 1), { code: 'ERR_DEACTIVATED' })
  t.throws(() => file.readInt32BE(4), { code: 'ERR_DEACTIVATED' })
})

t.test('a range that is read again and again is checked as at first', async (t) => {
  using file = new MemoryFile('again', 64)
  using reader = new MemoryFile(file.shareReadOnly().getFileDescriptor(), 64, 'r')
  const target = Buffer.alloc(40)
  for (let round = 0; round < 20; round++) {
    file.writeBytes(Buffer.alloc(64, round), 0, 0, 64)
    // Now and then another one, which must not get what belongs to the first.
    const count = round % 7 === 6 ? 20 : 32
    t.equal(reader.readBytes(target, 8, 4, count), count)
    t.ok(target.subarray(4, 4 + count).every((byte) => byte === round) && target[3] === 0, `round ${round}`)
    for (const [srcOffset, destOffset] of [
      [8, 9],
      [8, -1],
      [33, 0],
      [-1, 0],
      [8, 0.5],
    ] as const) {
      t.throws(() => reader.readBytes(target, srcOffset, destOffset, 32), { code: 'ERR_OUT_OF_RANGE' })
    }
    t.throws(() => reader.readBytes([] as never, 8, 0, 32), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  reader.deactivate()
  t.throws(() => reader.readBytes(target, 8, 4, 32), { code: 'ERR_DEACTIVATED' })
})

t.test('memory that was read repeatedly is purged like any other', async (t) => {
  using file = new MemoryFile('purged', 64)
  const target = Buffer.alloc(64)
  for (let round = 0; round < 5; round++) {
    file.readBytes(target, 0, 0, 64)
    file.readInt32BE(0)
  }
  fill(file, 9)
  file.allowPurging(true)
  ashmem.purge(1)
  t.throws(() => file.readBytes(target, 0, 0, 64), { code: 'ERR_PURGED' })
  t.equal(file.readBytes(target, 0, 0, 64), 64)
  t.ok(target.every((byte) => byte === 0))
})

t.test('an int lies inside the file at a multiple of 4, and has 32 bits', async (t) => {
  using file = new MemoryFile('ints', 9)
  for (const offset of [-4, 1, 2, 6, 8, 9, 0.5, Number.NaN, 2 ** 53]) {
    t.throws(() => file.readInt32BE(offset), { code: 'ERR_OUT_OF_RANGE' }, `read at ${offset}`)
    t.throws(() => file.writeInt32LE(offset, 1), { code: 'ERR_OUT_OF_RANGE' }, `write at ${offset}`)
  }
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN]) {
    t.throws(() => file.writeInt32BE(0, value), { code: 'ERR_OUT_OF_RANGE' }, `${value}`)
  }
  t.throws(() => file.writeInt32LE(0, '1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  using tiny = new MemoryFile('tiny', 3)
  t.throws(() => tiny.readInt32BE(0), { code: 'ERR_OUT_OF_RANGE' })
  t.same(contents(file), new Array(9).fill(0))
})

t.test('a deactivated file keeps its descriptor, and the memory behind it', async (t) => {
  using file = new MemoryFile('deactivated', 4)
  file.writeInt32BE(0, 42)
  file.deactivate()
  file.deactivate()
  t.notMatch(nodeFs.readFileSync('/proc/self/maps', 'utf8'), /memfd:deactivated/, 'it is unmapped now')
  using reference = new MemoryFile(file.getFileDescriptor(), 4, 'r')
  t.equal(reference.readInt32BE(0), 42)
})

t.test('closing a file closes its dups and other mappings not', async (t) => {
  const file = new MemoryFile('closed', 4)
  using pfd = file.getParcelFileDescriptor()
  using reference = new MemoryFile(pfd.getFileDescriptor(), 4, 'r')
  file.writeInt32BE(0, 42)
  file.close()
  file.close()
  t.equal(reference.readInt32BE(0), 42)
})

t.test('a purge is told once, and then there are zeros', async (t) => {
  using file = new MemoryFile('purged', 4)
  for (const access of [() => contents(file), () => fill(file, 0), () => file.readInt32BE(0)]) {
    fill(file, 9)
    t.equal(file.allowPurging(true), false)
    t.equal(ashmem.purgeAll(), 1)
    t.throws(access, { code: 'ERR_PURGED' })
    access()
    t.same(contents(file), [0, 0, 0, 0])
    t.equal(file.allowPurging(false), true)
  }
})

t.test('a write that finds the memory purged writes nothing', async (t) => {
  using file = new MemoryFile('purged', 4)
  file.allowPurging(true)
  ashmem.purgeAll()
  t.throws(() => fill(file, 9), { code: 'ERR_PURGED' })
  t.same(contents(file), [0, 0, 0, 0])
})

t.test('a purge is told again after the next one', async (t) => {
  using file = new MemoryFile('purged', 4)
  file.allowPurging(true)
  for (let round = 0; round < 3; round++) {
    ashmem.purgeAll()
    t.throws(() => file.readInt32BE(0), { code: 'ERR_PURGED' })
    t.equal(file.readInt32BE(0), 0)
  }
})

t.test('a bad call does not use up the news of a purge', async (t) => {
  using file = new MemoryFile('purged', 4)
  file.allowPurging(true)
  ashmem.purgeAll()
  t.throws(() => file.readBytes(new Uint8Array(4), 0, 0, 5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => contents(file), { code: 'ERR_PURGED' })
})

t.test('disallowing forgets a purge', async (t) => {
  using file = new MemoryFile('purged', 4)
  fill(file, 9)
  file.allowPurging(true)
  ashmem.purgeAll()
  t.equal(file.allowPurging(false), true)
  t.same(contents(file), [0, 0, 0, 0])
})

t.test('a file that is pinned is not purged', async (t) => {
  using file = new MemoryFile('pinned', 4)
  fill(file, 9)
  t.equal(ashmem.purgeAll(), 0)
  file.allowPurging(true)
  file.allowPurging(false)
  t.equal(ashmem.purgeAll(), 0)
  t.same(contents(file), [9, 9, 9, 9])
})

t.test('a purged file gives its memory back, the tail of its last page too', async (t) => {
  using file = new MemoryFile('whole pages', mmap.PAGESIZE + 4)
  fill(file, 9)
  file.allowPurging(true)
  t.equal(ashmem.purgeAll(), 2)
  t.equal(allocatedBytes(file), 0)
})

t.test('each access makes the file the last to be purged', async (t) => {
  using first = new MemoryFile('first', 4)
  using second = new MemoryFile('second', 4)
  for (const file of [first, second]) {
    fill(file, 9)
    file.allowPurging(true)
  }
  first.readInt32BE(0)
  ashmem.purge(1)
  t.same(contents(first), [9, 9, 9, 9])
  t.throws(() => contents(second), { code: 'ERR_PURGED' })
})

t.test('sharing read-only seals the region, and the owner goes on writing', async (t) => {
  using file = new MemoryFile('sealed', 4)
  using pfd = file.shareReadOnly()
  using again = file.shareReadOnly()
  using reader = new MemoryFile(pfd.getFileDescriptor(), 4, 'r')
  const all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL
  t.equal(sealsOf(file) & all, all)
  t.not(again.getFd(), pfd.getFd())
  file.writeInt32BE(0, 42)
  t.equal(reader.readInt32BE(0), 42)
})

t.test('sharing read-only ends purging, and tells of a purge that nobody has seen', async (t) => {
  using file = new MemoryFile('sealed', 4)
  file.allowPurging(true)
  ashmem.purgeAll()
  t.throws(() => file.shareReadOnly(), { code: 'ERR_PURGED' })
  t.equal(file.isPurgingAllowed(), false)
  t.equal(ashmem.getPinStatus(file.getFileDescriptor(), 0, 0), 1)
  file.shareReadOnly().close()
  t.throws(() => file.allowPurging(true), { code: 'ERR_UNSUPPORTED_OPERATION' })
  t.equal(file.allowPurging(false), false)
})

t.test('a region whose seals a stranger has frozen is not shared as read-only', async (t) => {
  using file = new MemoryFile('frozen', 4)
  addSeals(borrowFd(file.getFileDescriptor()), F_SEAL_SEAL)
  t.throws(() => file.shareReadOnly(), { code: 'EPERM' })
})

t.test('CTS: purging is allowed, disallowed, and refused after close', async (t) => {
  const file = new MemoryFile('MemoryFileTest', 128)
  t.equal(file.allowPurging(true), false)
  t.equal(file.isPurgingAllowed(), true)
  t.equal(file.allowPurging(true), true)
  t.equal(file.allowPurging(false), true)
  t.equal(file.isPurgingAllowed(), false)
  file.close()
  t.throws(() => file.allowPurging(true), { code: 'ERR_DEACTIVATED' })
  t.throws(() => file.allowPurging(false), { code: 'ERR_DEACTIVATED' })
})

t.test('CTS: a file is run through in pieces', async (t) => {
  const data = Uint8Array.from({ length: 512 }, (_, index) => index * 7)
  using file = new MemoryFile('MemoryFileTest', 1000000)
  for (const offset of [0, 1, 100, 1000, 1000000 - 512]) {
    file.writeBytes(data, 0, offset, data.length)
    const buffer = new Uint8Array(data.length)
    t.equal(file.readBytes(buffer, offset, 0, data.length), data.length)
    t.same(buffer, data)
  }
  t.equal(file.length(), 1000000)
})

t.test('CTS: the descriptor of a file is valid until close', async (t) => {
  const file = new MemoryFile('MemoryFileTest', 1000000)
  const fd = file.getFileDescriptor()
  t.ok(fd.valid())
  t.equal(file.getFileDescriptor(), fd, 'one object')
  file.close()
  t.notOk(fd.valid())
})

t.test('core test: two files and a reference in any order of closing', async (t) => {
  using file = new MemoryFile('a', 16)
  const other = new MemoryFile('b', 16)
  fill(file, 1)
  fill(other, 2)
  using reference = new MemoryFile(file.getFileDescriptor(), 16, 'r')
  other.close()
  t.same(contents(reference), new Array(16).fill(1))
  t.equal(MemoryFile.isMemoryFile(file.getFileDescriptor()), true)
  t.equal(MemoryFile.getSize(file.getFileDescriptor()), 16)
})
