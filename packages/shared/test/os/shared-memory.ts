/** SharedMemory: its states, mappings and masks, and CTS's SharedMemoryTest told again. */
import { openSync, readFileSync, readlinkSync } from 'node:fs'
import { constants, ftruncate, memfdCreate, mmap } from 'memfd-native'
import t from 'tap'
import { ashmem, MemoryFile, Parcel, ParcelFileDescriptor, type SharedMapping, SharedMemory } from '../../src/index.ts'
import { leakChecked, outcome } from '../../test-support/index.ts'

leakChecked(t)

const { PAGESIZE: PAGE, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } = mmap
const SIZE = 2 * PAGE

/** Unmaps what it is given, which a test can then compare. */
function mapped(mapping: SharedMapping): string {
  const kind = mapping.isReadOnly() ? 'read-only' : 'writable'
  SharedMemory.unmap(mapping)
  return kind
}

function closing(pfd: ParcelFileDescriptor): string {
  pfd.close()
  return 'a descriptor'
}

function received(memory: SharedMemory): SharedMemory {
  return SharedMemory.fromFileDescriptor(memory.getFdDup())
}

const STATES: [title: string, make: () => SharedMemory][] = [
  ['open', () => SharedMemory.create('states', SIZE)],
  ['closed', () => withCall(SharedMemory.create('states', SIZE), (memory) => memory.close())],
  ['read-only', () => withCall(SharedMemory.create('states', SIZE), (memory) => memory.setProtect(PROT_READ))],
  ['without rights', () => withCall(SharedMemory.create('states', SIZE), (memory) => memory.setProtect(PROT_NONE))],
  ['received from shareReadOnly', sharedByAFile],
]

function withCall(memory: SharedMemory, call: (memory: SharedMemory) => unknown): SharedMemory {
  call(memory)
  return memory
}

function sharedByAFile(): SharedMemory {
  using file = new MemoryFile('states', SIZE)
  return SharedMemory.fromFileDescriptor(file.shareReadOnly())
}

const GONE = 'ERR_CLOSED'
const VALUE = 'ERR_INVALID_ARG_VALUE'
const RO = 'read-only'
const FD = 'a descriptor'
// biome-ignore format: a table; the columns are STATES
const METHODS: [title: string, call: (memory: SharedMemory) => unknown, answers: unknown[]][] = [
  ['getSize()', (m) => m.getSize(), [SIZE, GONE, SIZE, SIZE, SIZE]],
  ['mapReadOnly()', (m) => mapped(m.mapReadOnly()), [RO, GONE, RO, 'EPERM', RO]],
  ['mapReadWrite()', (m) => mapped(m.mapReadWrite()), ['writable', GONE, 'EPERM', 'EPERM', 'EPERM']],
  ['map(WRITE)', (m) => mapped(m.map(PROT_WRITE, 0, 1)), ['writable', GONE, 'EPERM', 'EPERM', 'EPERM']],
  ['map(EXEC)', (m) => mapped(m.map(PROT_EXEC, 0, 1)), [RO, GONE, 'EPERM', 'EPERM', RO]],
  ['map(NONE)', (m) => mapped(m.map(PROT_NONE, 0, 1)), [RO, GONE, RO, RO, RO]],
  ['map(bad prot)', (m) => m.map(8, 0, 1), [VALUE, GONE, VALUE, VALUE, VALUE]],
  ['map(too much)', (m) => m.map(PROT_WRITE, 0, SIZE + 1), [VALUE, GONE, VALUE, VALUE, VALUE]],
  ['setProtect(all)', (m) => m.setProtect(7), [true, GONE, false, false, false]],
  ['setProtect(READ)', (m) => m.setProtect(PROT_READ), [true, GONE, true, false, true]],
  ['setProtect(NONE)', (m) => m.setProtect(PROT_NONE), [true, GONE, true, true, true]],
  ['setProtect(bad)', (m) => m.setProtect(8), [VALUE, GONE, VALUE, VALUE, VALUE]],
  ['getFd()', (m) => m.getFd() >= 0, [true, false, true, true, true]],
  ['getFileDescriptor()', (m) => m.getFileDescriptor().valid(), [true, false, true, true, true]],
  ['getFdDup()', (m) => closing(m.getFdDup()), [FD, GONE, FD, FD, FD]],
  ['describeContents()', (m) => m.describeContents(), [1, 1, 1, 1, 1]],
  ['writeToParcel()', (m) => written(m), [FD, GONE, FD, FD, FD]],
  ['close()', (m) => m.close(), [undefined, undefined, undefined, undefined, undefined]],
]

function written(memory: SharedMemory): string {
  const parcel = Parcel.obtain()
  try {
    memory.writeToParcel(parcel, 0)
    return parcel.hasFileDescriptors() ? 'a descriptor' : 'nothing'
  } finally {
    parcel.recycle()
  }
}

for (const [column, [state, make]] of STATES.entries()) {
  t.test(`a SharedMemory that is ${state}`, async (t) => {
    for (const [title, call, answers] of METHODS) {
      using memory = make()
      t.equal(
        outcome(() => call(memory)),
        answers[column],
        title,
      )
    }
  })
}

t.test('a new region has a name, its size and zeros', async (t) => {
  using memory = SharedMemory.create('new', 10)
  t.equal(readlinkSync(`/proc/self/fd/${memory.getFd()}`), '/memfd:new (deleted)')
  const mapping = memory.mapReadOnly()
  const buffer = new Uint8Array(10).fill(1)
  mapping.readBytes(buffer, 0, 0, 10)
  t.same(buffer, new Uint8Array(10))
  SharedMemory.unmap(mapping)
})

t.test('a region has 1 to 2^31-1 bytes', async (t) => {
  for (const size of [0, -1, 0.5, Number.NaN, 2 ** 31]) {
    t.throws(() => SharedMemory.create('bad', size), { code: 'ERR_INVALID_ARG_VALUE' }, String(size))
  }
  t.throws(() => SharedMemory.create('bad', '1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => SharedMemory.create(5 as unknown as string, 1), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('taking a descriptor over closes the ParcelFileDescriptor', async (t) => {
  using origin = SharedMemory.create('origin', PAGE)
  const pfd = origin.getFdDup()
  using memory = SharedMemory.fromFileDescriptor(pfd)
  t.equal(pfd.getFileDescriptor().valid(), false)
  t.equal(memory.getSize(), PAGE)
})

const REFUSED: [title: string, open: () => ParcelFileDescriptor | null, code: string][] = [
  ['null', () => null, 'ERR_INVALID_ARG_VALUE'],
  ['a closed one', closedDescriptor, 'ERR_INVALID_ARG_VALUE'],
  ['a number', () => 5 as unknown as ParcelFileDescriptor, 'ERR_INVALID_ARG_TYPE'],
  ['a device', () => ParcelFileDescriptor.adoptFd(openSync('/dev/null', 'r')), 'ERR_NOT_A_REGION'],
  ['a memfd that can shrink', () => foreignMemfd(10), 'ERR_UNSAFE_REGION'],
  ['an empty memfd', () => foreignMemfd(0), 'ERR_UNSAFE_REGION'],
]

function closedDescriptor(): ParcelFileDescriptor {
  const pfd = ParcelFileDescriptor.adoptFd(openSync('/dev/null', 'r'))
  pfd.close()
  return pfd
}

function foreignMemfd(size: number): ParcelFileDescriptor {
  const memfd = memfdCreate('foreign', constants.MFD_ALLOW_SEALING)
  ftruncate(memfd, size)
  return ParcelFileDescriptor.adoptFd(memfd.release())
}

t.test('a region that is not safe is refused, and closed nevertheless', async (t) => {
  for (const [title, open, code] of REFUSED) {
    const pfd = open()
    t.throws(() => SharedMemory.fromFileDescriptor(pfd), { code }, title)
    if (pfd instanceof ParcelFileDescriptor) t.equal(pfd.getFileDescriptor().valid(), false, `${title} is closed`)
  }
})

const MAPS: [title: string, offset: unknown, length: unknown, code: string | null][] = [
  ['the first byte', 0, 1, null],
  ['the second page', PAGE, PAGE, null],
  ['a negative offset', -1, 1, 'ERR_INVALID_ARG_VALUE'],
  ['no length', 0, 0, 'ERR_INVALID_ARG_VALUE'],
  ['a negative length', 0, -1, 'ERR_INVALID_ARG_VALUE'],
  ['one byte too much', PAGE, PAGE + 1, 'ERR_INVALID_ARG_VALUE'],
  ['a sum beyond an int', 2 ** 31 - 1, 2 ** 31 - 1, 'ERR_INVALID_ARG_VALUE'],
  ['a fraction', 0.5, 1, 'ERR_INVALID_ARG_VALUE'],
  ['an offset within a page', 1, 1, 'EINVAL'],
  ['a string', '0', 1, 'ERR_INVALID_ARG_TYPE'],
]

t.test('a mapping lies within the region and begins at a page', async (t) => {
  using memory = SharedMemory.create('maps', SIZE)
  for (const [title, offset, length, code] of MAPS) {
    t.equal(
      outcome(() => mapped(memory.map(PROT_READ, offset as number, length as number))),
      code ?? 'read-only',
      title,
    )
  }
})

t.test('the arguments are judged before the mask', async (t) => {
  using memory = SharedMemory.create('order', SIZE)
  memory.setProtect(PROT_NONE)
  t.throws(() => memory.map(PROT_READ, -1, 1), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => memory.map(PROT_READ, 1, 1), { code: 'EPERM', syscall: 'mmap' })
})

t.test('a right that a read-only descriptor lacks is EPERM, as one that the mask lacks', async (t) => {
  using memory = SharedMemory.create('plain', PAGE)
  using reader = SharedMemory.fromFileDescriptor(
    ParcelFileDescriptor.adoptFd(openSync(`/proc/self/fd/${memory.getFd()}`, 'r')),
  )
  t.throws(() => reader.mapReadWrite(), { code: 'EPERM' })
  t.equal(reader.setProtect(PROT_READ), false, 'nor can it take a right from others')
  t.equal(mapped(memory.mapReadWrite()), 'writable')
})

t.test('only mappings are unmapped', async (t) => {
  for (const value of [null, undefined, new ArrayBuffer(4), {}]) {
    t.throws(() => SharedMemory.unmap(value as unknown as SharedMapping), { code: 'ERR_INVALID_ARG_VALUE' })
  }
})

t.test('unmapping ends the mapping now, once', async (t) => {
  using memory = SharedMemory.create('unmapped', PAGE)
  const mapping = memory.mapReadWrite()
  t.match(readFileSync('/proc/self/maps', 'utf8'), /memfd:unmapped/)
  SharedMemory.unmap(mapping)
  SharedMemory.unmap(mapping)
  t.notMatch(readFileSync('/proc/self/maps', 'utf8'), /memfd:unmapped/)
})

t.test('mappings see each other’s writes', async (t) => {
  using memory = SharedMemory.create('two', SIZE)
  const whole = memory.mapReadWrite()
  const second = memory.map(PROT_READ, PAGE, PAGE)
  whole.putInt(PAGE, 42)
  t.equal(second.getInt(0), 42)
  for (const mapping of [whole, second]) SharedMemory.unmap(mapping)
})

t.test('the mask is the one that ashmem shows', async (t) => {
  using memory = SharedMemory.create('mask', PAGE)
  memory.setProtect(PROT_READ)
  t.equal(ashmem.getProtMask(memory.getFileDescriptor()), PROT_READ)
})

t.test('a receiver knows of WRITE that it is gone, not of other rights', async (t) => {
  using memory = SharedMemory.create('mask', PAGE)
  memory.setProtect(PROT_NONE)
  using receiver = received(memory)
  t.equal(mapped(receiver.mapReadOnly()), 'read-only')
  t.throws(() => receiver.mapReadWrite(), { code: 'EPERM' })
})

t.test('CTS testReadWrite', async (t) => {
  using memory = SharedMemory.create('MyTest', 1024)
  const mapping = memory.mapReadWrite()
  mapping.put(0, 9)
  mapping.put(1023, 8)
  using other = received(memory)
  const seen = other.mapReadOnly()
  t.same([seen.get(0), seen.get(1023), seen.length], [9, 8, 1024])
  for (const each of [mapping, seen]) SharedMemory.unmap(each)
})

t.test('CTS testReadOnly, testSetProtect: rights go and never come back', async (t) => {
  using memory = SharedMemory.create('MyTest', 1024)
  t.equal(memory.setProtect(PROT_READ), true)
  t.equal(memory.setProtect(PROT_READ), true)
  t.equal(memory.setProtect(PROT_READ | PROT_WRITE), false)
  t.throws(() => memory.map(PROT_WRITE, 0, 1024), { code: 'EPERM' })
  t.equal(memory.setProtect(PROT_NONE), true)
  t.equal(memory.setProtect(PROT_READ), false)
  t.throws(() => memory.mapReadOnly(), { code: 'EPERM' })
})

t.test('CTS testUseAfterClose: mappings live on', async (t) => {
  const memory = SharedMemory.create('MyTest', 1024)
  const mapping = memory.mapReadWrite()
  memory.close()
  mapping.putInt(0, 42)
  t.equal(mapping.getInt(0), 42)
  SharedMemory.unmap(mapping)
  t.throws(() => mapping.getInt(0), { code: 'ERR_CLOSED' })
})

t.test('CTS testMapAfterProtect: mappings that exist keep their rights', async (t) => {
  using memory = SharedMemory.create('MyTest', 1024)
  const mapping = memory.mapReadWrite()
  memory.setProtect(PROT_READ)
  mapping.putInt(0, 42)
  const later = memory.mapReadOnly()
  t.equal(later.getInt(0), 42)
  for (const each of [mapping, later]) SharedMemory.unmap(each)
})

t.test('CTS testParcel: one descriptor travels, and the sender keeps its own', async (t) => {
  using memory = SharedMemory.create('MyTest', 1024)
  const mapping = memory.mapReadWrite()
  mapping.putInt(0, 42)
  const parcel = Parcel.obtain()
  memory.writeToParcel(parcel, 1)
  parcel.setDataPosition(0)
  using read = SharedMemory.CREATOR.createFromParcel(parcel)
  parcel.recycle()
  t.equal(read.getSize(), 1024)
  t.not(read.getFd(), memory.getFd())
  const seen = read.mapReadOnly()
  t.equal(seen.getInt(0), 42)
  for (const each of [mapping, seen]) SharedMemory.unmap(each)
})
