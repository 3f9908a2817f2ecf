import t from 'tap'
import { native } from '../src/binding.ts'
import { addSeals, constants, ftruncate, Mapping, memfdCreate, mmap, type OwnedFd, reopen } from '../src/index.ts'
import * as support from '../test-support/index.ts'

support.leakChecked(t)
const { PROT_NONE, PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE } = mmap
const READ_WRITE = PROT_READ | PROT_WRITE

function newMapping(prot = READ_WRITE, length = support.PAGE): Mapping {
  using memfd = support.sizedMemfd(length)
  return Mapping.map(memfd, length, prot, MAP_SHARED)
}

t.test('a mapping lives without its descriptor and ends with unmap', async (t) => {
  const mapping = newMapping()
  t.match(mapping, { length: support.PAGE, isMapped: true, isWritable: true })
  t.equal(support.memfdMappings().length, 1)
  mapping.unmap()
  t.match(mapping, { length: 0, isMapped: false })
  t.equal(support.memfdMappings().length, 0)
  mapping.unmap()
})

t.test('written bytes are in the file, and the bytes in the file are read', async (t) => {
  using memfd = support.sizedMemfd()
  using mapping = Mapping.map(memfd, support.PAGE, READ_WRITE, MAP_SHARED)
  mapping.write(3, Buffer.from('..hello..'), 2, 5)
  const inFile = Buffer.alloc(7)
  support.nodeFs.readSync(memfd.fd, inFile, 0, 7, 2)
  t.equal(inFile.toString('latin1'), '\0hello\0')
  support.nodeFs.writeSync(memfd.fd, 'j', 3)
  const copy = Buffer.from('-------')
  mapping.read(3, copy, 1, 5)
  t.equal(copy.toString('latin1'), '-jello-')
})

t.test('a read is a copy: it does not change afterwards', async (t) => {
  using mapping = newMapping()
  const copy = new Uint8Array(4)
  mapping.read(0, copy, 0, 4)
  mapping.writeInt32LE(0, -1)
  t.same([...copy], [0, 0, 0, 0])
})

t.test('bytes of every length and alignment are copied exactly', async (t) => {
  using mapping = newMapping()
  const source = Uint8Array.from({ length: 40 }, (_, i) => i + 1)
  for (let offset = 0; offset < 9; offset++) {
    for (let count = 0; count <= 17; count++) {
      mapping.fill(0, support.PAGE)
      mapping.write(offset, source, 1, count)
      const target = new Uint8Array(32)
      mapping.read(0, target, 0, 32)
      const expected = new Uint8Array(32)
      expected.set(source.subarray(1, 1 + count), offset)
      if (Buffer.compare(target, expected) !== 0) t.fail(`offset ${offset}, count ${count}: ${target}`)
    }
  }
})

t.test('an int is in the byte order of its name', async (t) => {
  using mapping = newMapping()
  const bytes = Buffer.alloc(4)
  for (const value of [0, 1, 42, -1, 0x01020304, 2 ** 31 - 1, -(2 ** 31)]) {
    mapping.writeInt32BE(4, value)
    mapping.read(4, bytes, 0, 4)
    t.same([bytes.readInt32BE(), mapping.readInt32BE(4)], [value, value])
    mapping.writeInt32LE(4, value)
    mapping.read(4, bytes, 0, 4)
    t.same([bytes.readInt32LE(), mapping.readInt32LE(4)], [value, value])
  }
})

t.test('a reader of an int reads what is there now, in the byte order of its name', async (t) => {
  using mapping = newMapping()
  const [readLE, readBE] = [mapping.int32ReaderLE(4), mapping.int32ReaderBE(4)]
  for (const value of [0, 1, 42, -1, 0x01020304, 0x7f80ff01, 2 ** 31 - 1, -(2 ** 31)]) {
    mapping.writeInt32BE(4, value)
    t.same([readBE(), readLE()], [value, mapping.readInt32LE(4)])
    mapping.writeInt32LE(4, value)
    t.same([readLE(), readBE()], [value, mapping.readInt32BE(4)])
  }
})

t.test('a reader of a range copies what is there now', async (t) => {
  using mapping = newMapping()
  for (const count of [0, 1, 4, 8, 9, 64, 1000, support.PAGE - 3]) {
    const read = mapping.rangeReader(3, count)
    for (const first of [1, 200]) {
      const bytes = Uint8Array.from({ length: count }, (_, i) => first + i)
      mapping.write(3, bytes, 0, count)
      const target = Buffer.alloc(count + 2, 0xee)
      read(target, 1)
      t.ok(target.equals(Buffer.concat([Buffer.from([0xee]), bytes, Buffer.from([0xee])])), `${count} bytes`)
    }
  }
})

t.test('a range longer than a mebibyte is read too', async (t) => {
  using mapping = newMapping(READ_WRITE, 2 ** 21)
  mapping.fill(0, 2 ** 21, 7)
  const target = Buffer.alloc(2 ** 20 + 1)
  mapping.rangeReader(5, target.length)(target, 0)
  t.ok(target.every((byte) => byte === 7))
})

t.test('no method of a program gets to see what a reader of a range copies', async (t) => {
  using mapping = newMapping()
  mapping.fill(0, 16, 1)
  const read = mapping.rangeReader(0, 16)
  class Curious extends Uint8Array {
    override set(): void {
      t.fail('it was called')
    }
    override get [Symbol.toStringTag](): never {
      throw new Error('it was asked')
    }
  }
  const target = new Curious(16)
  const arrays: object = Object.getPrototypeOf(Uint8Array.prototype)
  const never = () => t.fail('it was replaced')
  await replaced([arrays, 'set', never], [Atomics, 'load', never], [Atomics, 'store', never], () =>
    replaced([globalThis, 'Uint8Array', never], [globalThis, 'Int32Array', never], async () => {
      mapping.rangeReader(0, 16)
      mapping.int32WriterLE(4)(0x02020202)
      mapping.int32ReaderBE(4)()
      read(target, 0)
    }),
  )
  t.ok(target.every((byte, i) => byte === (i >= 4 && i < 8 ? 2 : 1)))
})

type Replacement = [owner: object, name: string, value: unknown]

/** Does something while a program has other ideas of what the language has. */
async function replaced(...args: [...Replacement[], () => Promise<void>]): Promise<void> {
  const act = args.pop() as () => Promise<void>
  const replacements = args as Replacement[]
  const before = replacements.map(([owner, name]) => Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor)
  try {
    for (const [owner, name, value] of replacements) Object.defineProperty(owner, name, { value, configurable: true })
    await act()
  } finally {
    for (const [i, [owner, name]] of replacements.entries()) {
      Object.defineProperty(owner, name, before[i] as PropertyDescriptor)
    }
  }
}

t.test('a writer of an int writes in the byte order of its name', async (t) => {
  using mapping = newMapping()
  const [writeLE, writeBE] = [mapping.int32WriterLE(4), mapping.int32WriterBE(4)]
  for (const value of [0, 1, 42, -1, 0x01020304, 0x7f80ff01, 2 ** 31 - 1, -(2 ** 31), -0]) {
    writeBE(value)
    t.equal(mapping.readInt32BE(4), value | 0)
    writeLE(value)
    t.equal(mapping.readInt32LE(4), value | 0)
  }
  t.same([mapping.readInt32LE(0), mapping.readInt32LE(8)], [0, 0])
})

t.test('readers and writers of an int end with their mapping, also where the next one has its place', async (t) => {
  const mapping = newMapping()
  const writers = [mapping.int32WriterLE(0), mapping.int32WriterBE(0)]
  const readRange = mapping.rangeReader(0, 16)
  const attempts = [
    mapping.int32ReaderLE(0),
    mapping.int32ReaderBE(0),
    () => readRange(Buffer.alloc(16), 0),
    ...writers.map((write) => () => write(7)),
  ]
  mapping.unmap()
  using next = newMapping()
  next.fill(0, support.PAGE, 1)
  for (const attempt of attempts) t.throws(() => attempt(), { code: 'ERR_CLOSED' })
  t.equal(next.readInt32LE(0), 0x01010101)
})

t.test('a runtime that allows no memory outside its heap reads and writes ints all the same', async (t) => {
  const { wordView, rangeView } = native
  t.teardown(() => Object.assign(native, { wordView, rangeView }))
  native.wordView = () => null
  native.rangeView = () => null
  const mapping = newMapping()
  const [readLE, readBE] = [mapping.int32ReaderLE(4), mapping.int32ReaderBE(4)]
  mapping.int32WriterBE(4)(-2)
  t.same([readBE(), readLE()], [-2, mapping.readInt32LE(4)])
  mapping.int32WriterLE(4)(-3)
  t.same([readLE(), readBE()], [-3, mapping.readInt32BE(4)])
  const target = Buffer.alloc(16)
  mapping.rangeReader(0, 16)(target, 0)
  t.equal(target.readInt32LE(4), -3)
  mapping.unmap()
  for (const read of [readLE, readBE]) t.throws(() => read(), { code: 'ERR_CLOSED' })
})

t.test('fill sets the low 8 bits, 0 if not said', async (t) => {
  using mapping = newMapping()
  mapping.fill(1, 2, 0x1ff)
  t.equal(mapping.readInt32LE(0), 0x00ffff00)
  mapping.fill(2, 1)
  t.equal(mapping.readInt32LE(0), 0x0000ff00)
  mapping.fill(support.PAGE, 0)
})

t.test('a mapping past 4 GiB reads and writes at its far end', async (t) => {
  const size = 2 ** 32 + 2 * support.PAGE
  using memfd = support.sizedMemfd(size)
  using whole = Mapping.map(memfd, size, READ_WRITE, MAP_SHARED)
  whole.writeInt32BE(size - 4, 42)
  t.equal(whole.length, size)
  using tail = Mapping.map(memfd, support.PAGE, PROT_READ, MAP_SHARED, size - support.PAGE)
  t.equal(tail.readInt32BE(support.PAGE - 4), 42)
  t.equal(
    support.codeOf(() => whole.readInt32BE(size)),
    'ERR_OUT_OF_RANGE',
  )
})

const buffer = new Uint8Array(8)
const wide = Buffer.alloc(16)
const OUTSIDE: [string, (mapping: Mapping) => void][] = [
  ['a read from beyond the end', (m) => m.read(support.PAGE + 1, buffer, 0, 0)],
  ['a read across the end', (m) => m.read(support.PAGE - 3, buffer, 0, 4)],
  ['a read past the end of its target', (m) => m.read(0, buffer, 5, 4)],
  ['a write across the end', (m) => m.write(support.PAGE - 3, buffer, 0, 4)],
  ['a write from beyond its source', (m) => m.write(0, buffer, 9, 0)],
  ['a fill across the end', (m) => m.fill(support.PAGE - 1, 2)],
  ['a negative offset', (m) => m.read(-1, buffer, 0, 1)],
  ['a negative count', (m) => m.read(0, buffer, 0, -1)],
  ['a fractional offset', (m) => m.read(0.5, buffer, 0, 1)],
  ['an offset of NaN', (m) => m.fill(Number.NaN, 1)],
  ['an offset of infinity', (m) => m.fill(Number.POSITIVE_INFINITY, 0)],
  ['a count of 2^53', (m) => m.fill(0, 2 ** 53)],
  ['a count of 2^64', (m) => m.read(0, buffer, 0, 2 ** 64)],
  ['an int at the end', (m) => m.readInt32LE(support.PAGE)],
  ['an int off its alignment', (m) => m.readInt32BE(2)],
  ['a reader of an int at the end', (m) => m.int32ReaderLE(support.PAGE)],
  ['a reader of an int off its alignment', (m) => m.int32ReaderBE(2)],
  ['a range that ends beyond the end', (m) => m.rangeReader(1, support.PAGE)],
  ['a range before the beginning', (m) => m.rangeReader(-1, 16)],
  ['a short range beyond the end', (m) => m.rangeReader(support.PAGE - 3, 4)(wide, 0)],
  ['a range of a fractional length', (m) => m.rangeReader(0, 16.5)],
  ['a range of NaN bytes', (m) => m.rangeReader(0, Number.NaN)],
  ['a range for a target that is too short', (m) => m.rangeReader(0, 16)(wide.subarray(1), 0)],
  ['a range for an offset in the target that is too far', (m) => m.rangeReader(0, 16)(wide, 1)],
  ['a range for an offset in the target of -1', (m) => m.rangeReader(0, 16)(wide, -1)],
  ['a writer of an int at the end', (m) => m.int32WriterLE(support.PAGE)],
  ['a writer of an int off its alignment', (m) => m.int32WriterBE(2)],
  ['an int of 2^31 for a writer', (m) => m.int32WriterLE(0)(2 ** 31)],
  ['a fractional int for a writer', (m) => m.int32WriterBE(0)(0.5)],
  ['NaN for a writer', (m) => m.int32WriterLE(0)(Number.NaN)],
  ['an int written off its alignment', (m) => m.writeInt32BE(1, 0)],
  ['an int of 2^31', (m) => m.writeInt32LE(0, 2 ** 31)],
  ['a fractional int', (m) => m.writeInt32LE(0, 0.5)],
]
for (const [what, attempt] of OUTSIDE) {
  t.test(`${what} is ERR_OUT_OF_RANGE and changes nothing`, async (t) => {
    using mapping = newMapping()
    t.throws(() => attempt(mapping), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
    const contents = new Uint8Array(support.PAGE)
    mapping.read(0, contents, 0, support.PAGE)
    t.ok(contents.every((byte) => byte === 0))
  })
}

const odd = (value: unknown) => value as never
const IMPOSTOR = {
  __proto__: Uint8Array.prototype,
  length: 16,
  [Symbol.toStringTag]: 'Uint8Array',
  set: () => t.fail(),
}
const WRONG_TYPES: [string, (mapping: Mapping) => void][] = [
  ['a target that is an array', (m) => m.read(0, odd([1, 2, 3]), 0, 1)],
  ['a target of another element type', (m) => m.read(0, odd(new Int8Array(4)), 0, 1)],
  ['an offset of a copy that is a string', (m) => m.read(odd('0'), buffer, 0, 1)],
  ['a count of a copy that is an object', (m) => m.write(0, buffer, 0, odd({ valueOf: () => 1 }))],
  ['an offset in the array that is a bigint', (m) => m.read(0, buffer, odd(0n), 1)],
  ['a target of null', (m) => m.read(0, odd(null), 0, 1)],
  ['a source that is a string', (m) => m.write(0, odd('abc'), 0, 1)],
  ['an offset that is a string', (m) => m.readInt32LE(odd('0'))],
  ['an offset that is missing', (m) => m.readInt32LE(odd(undefined))],
  ['the offset of a reader that is a string', (m) => m.int32ReaderBE(odd('0'))],
  ['a range for an array', (m) => m.rangeReader(0, 16)(odd(new Array(16).fill(0)), 0)],
  ['a range for another element type', (m) => m.rangeReader(0, 16)(odd(new Int8Array(16)), 0)],
  ['a range for an object that says it is a Uint8Array', (m) => m.rangeReader(0, 16)(odd(IMPOSTOR), 0)],
  ['a range for an offset in the target that is a string', (m) => m.rangeReader(0, 16)(wide, odd('0'))],
  ['a range with a string for an offset', (m) => m.rangeReader(odd('0'), 16)],
  ['the value for a writer that is a string', (m) => m.int32WriterBE(0)(odd('1'))],
  ['a bigint for a writer', (m) => m.int32WriterBE(0)(odd(1n))],
  ['a symbol for a writer', (m) => m.int32WriterLE(0)(odd(Symbol('1')))],
  ['an object for a writer', (m) => m.int32WriterLE(0)(odd({ valueOf: () => t.fail('it was asked') }))],
  ['no value for a writer', (m) => m.int32WriterLE(0)(odd(undefined))],
  ['a bigint value', (m) => m.writeInt32BE(0, odd(1n))],
  ['a count of null', (m) => m.fill(0, odd(null))],
]
for (const [what, attempt] of WRONG_TYPES) {
  t.test(`${what} is a TypeError`, async (t) => {
    using mapping = newMapping()
    t.throws(() => attempt(mapping), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  })
}

const ACCESSES: Record<string, (mapping: Mapping) => unknown> = {
  read: (m) => m.read(0, buffer, 0, 8),
  write: (m) => m.write(0, buffer, 0, 8),
  readInt32LE: (m) => m.readInt32LE(0),
  readInt32BE: (m) => m.readInt32BE(0),
  'int32ReaderLE, to read': (m) => m.int32ReaderLE(0)(),
  'int32ReaderBE, to read': (m) => m.int32ReaderBE(0)(),
  'rangeReader, to read': (m) => m.rangeReader(0, 16)(wide, 0),
  'rangeReader, to read a word': (m) => m.rangeReader(0, 8)(buffer, 0),
  'int32WriterLE, to write': (m) => m.int32WriterLE(0)(1),
  'int32WriterBE, to write': (m) => m.int32WriterBE(0)(1),
  writeInt32LE: (m) => m.writeInt32LE(0, 1),
  writeInt32BE: (m) => m.writeInt32BE(0, 1),
  fill: (m) => m.fill(0, 1),
}
const isStore = (name: string) => /write|fill/.test(name)
const isLoad = (name: string) => /read/.test(name)

for (const [name, access] of Object.entries(ACCESSES)) {
  t.test(`${name} in each state answers or says why not`, async (t) => {
    using readWrite = newMapping()
    t.equal(
      support.codeOf(() => access(readWrite)),
      'ok',
    )
    using readOnly = newMapping(PROT_READ)
    t.equal(
      support.codeOf(() => access(readOnly)),
      isStore(name) ? 'ERR_READ_ONLY' : 'ok',
    )
    using closedToAll = newMapping(PROT_NONE)
    t.equal(
      support.codeOf(() => access(closedToAll)),
      isLoad(name) ? 'ERR_NOT_READABLE' : 'ERR_READ_ONLY',
    )
    const unmapped = newMapping()
    unmapped.unmap()
    t.equal(
      support.codeOf(() => access(unmapped)),
      'ERR_CLOSED',
    )
    using next = newMapping(PROT_READ)
    t.equal(
      support.codeOf(() => access(unmapped)),
      'ERR_CLOSED',
      'also when its place is taken again',
    )
    t.ok(next.isMapped)
  })
}

t.test('a mapping that is only to be written is written by a writer, too', async (t) => {
  using memfd = support.sizedMemfd()
  using mapping = Mapping.map(memfd, support.PAGE, PROT_WRITE, MAP_SHARED)
  using reader = Mapping.map(memfd, support.PAGE, PROT_READ, MAP_SHARED)
  mapping.int32WriterLE(4)(7)
  mapping.int32WriterBE(8)(-7)
  t.same([reader.readInt32LE(4), reader.readInt32BE(8)], [7, -7])
  if (!['x64', 'arm64'].includes(process.arch)) return t.comment('there such memory cannot be read')
  t.same([mapping.readInt32LE(4), mapping.readInt32BE(8)], [7, -7])
  const bytes = Buffer.alloc(4)
  mapping.read(4, bytes, 0, 4)
  t.equal(bytes.readInt32LE(), 7)
})

t.test('isWritable says what was asked for', async (t) => {
  using readOnly = newMapping(PROT_READ)
  t.notOk(readOnly.isWritable)
})

t.test('a private mapping keeps its changes to itself', async (t) => {
  using memfd = support.sizedMemfd()
  using readOnly = reopen(memfd, constants.O_RDONLY)
  using mapping = Mapping.map(readOnly, support.PAGE, READ_WRITE, MAP_PRIVATE)
  mapping.writeInt32LE(0, 1)
  const inFile = Buffer.alloc(4)
  support.nodeFs.readSync(memfd.fd, inFile, 0, 4, 0)
  t.equal(inFile.readInt32LE(), 0)
})

const UNMAPPABLE: [string, () => unknown, string][] = [
  ['length 0', () => newMapping(READ_WRITE, 0), 'EINVAL'],
  ['a negative length', () => Mapping.map(0, -1, PROT_READ, MAP_SHARED), 'EINVAL'],
  ['more than the address space', () => withMemfd((fd) => Mapping.map(fd, 2 ** 52, PROT_READ, MAP_SHARED)), 'ENOMEM'],
  ['an offset within a page', () => withMemfd((fd) => Mapping.map(fd, 1, PROT_READ, MAP_SHARED, 100)), 'EINVAL'],
  ['MAP_FIXED', () => withMemfd((fd) => Mapping.map(fd, support.PAGE, PROT_READ, MAP_SHARED | 0x10)), 'EINVAL'],
  ['a closed descriptor', () => Mapping.map(-1, support.PAGE, PROT_READ, MAP_SHARED), 'EBADF'],
  ['a length that is a string', () => Mapping.map(0, odd('1'), PROT_READ, MAP_SHARED), 'ERR_INVALID_ARG_TYPE'],
]
function withMemfd<T>(use: (fd: ReturnType<typeof support.sizedMemfd>) => T): T {
  using memfd = support.sizedMemfd()
  return use(memfd)
}
for (const [what, attempt, code] of UNMAPPABLE) {
  t.test(`mapping ${what} is ${code}`, async (t) => {
    t.equal(support.codeOf(attempt), code)
  })
}

t.test('a shared writable mapping needs a writable descriptor and no seal against it', async (t) => {
  using memfd = support.sizedMemfd()
  using readOnly = reopen(memfd, constants.O_RDONLY)
  t.equal(
    support.codeOf(() => Mapping.map(readOnly, support.PAGE, READ_WRITE, MAP_SHARED)),
    'EACCES',
  )
  addSeals(memfd, constants.F_SEAL_FUTURE_WRITE)
  t.equal(
    support.codeOf(() => Mapping.map(memfd, support.PAGE, READ_WRITE, MAP_SHARED)),
    'EPERM',
  )
})

for (const bytes of [4, 8]) {
  t.test(`an aligned read of ${bytes} bytes never sees half of a write`, async (t) => {
    using memfd = support.sizedMemfd()
    using mapping = Mapping.map(memfd, support.PAGE, PROT_READ, MAP_SHARED)
    const { worker, stop } = hammerFromWorker(memfd.fd, bytes)
    const target = Buffer.alloc(bytes)
    const seen = new Set<number>()
    let torn = 0
    while (seen.size < 100) {
      for (let i = 0; i < 20_000; i++) {
        mapping.read(0, target, 0, bytes)
        seen.add(target[0] as number)
        if (target.some((byte) => byte !== target[0])) torn++
      }
    }
    stop()
    await worker
    t.equal(torn, 0)
  })
}

t.test('an int that a reader reads is never half of a write', async (t) => {
  using memfd = support.sizedMemfd()
  using mapping = Mapping.map(memfd, support.PAGE, PROT_READ, MAP_SHARED)
  const read = mapping.int32ReaderBE(0)
  const { worker, stop } = hammerFromWorker(memfd.fd, 4)
  const seen = new Set<number>()
  while (seen.size < 100) for (let i = 0; i < 20_000; i++) seen.add(read())
  stop()
  await worker
  const torn = [...seen].filter((value) => value !== Math.imul(value & 0xff, 0x01010101))
  t.same(torn, [])
})

t.test('2,000 rounds of map, read and unmap leave nothing behind', async (t) => {
  using memfd = support.sizedMemfd()
  for (let round = 0; round < 2000; round++) {
    const mapping = Mapping.map(memfd, support.PAGE, READ_WRITE, MAP_SHARED)
    mapping.writeInt32LE(0, round)
    if (mapping.int32ReaderLE(0)() !== round) t.fail(`round ${round} reads something else`)
    mapping.unmap()
    if (round % 500 === 0) await support.collectGarbage()
  }
  t.equal(support.memfdMappings().length, 0)
})

t.test('a page that was cut off kills the process that reads it, with SIGBUS', async (t) => {
  const { signal, output } = support.runFixture('reads-a-truncated-mapping')
  t.equal(output, 'before\n')
  t.equal(signal, 'SIGBUS')
})

/** A thread that writes `bytes` equal bytes, another value each time, until it is stopped. */
function hammerFromWorker(fd: number, bytes: number): { worker: Promise<unknown>; stop: () => void } {
  const stopFlag = new Int32Array(new SharedArrayBuffer(4))
  const worker = new support.nodeWorkerThreads.Worker(support.fixturePath('hammers-a-region'), {
    workerData: { fd, bytes, stopFlag },
  })
  return { worker: support.nodeEvents.once(worker, 'exit'), stop: () => Atomics.store(stopFlag, 0, 1) }
}

t.test('a debugger that looks into readers and writers after unmap() sees zeros', async (t) => {
  const { status, signal, output, errors } = support.runFixture('previews-after-unmap')
  t.same({ status, signal, errors }, { status: 0, signal: null, errors: '' })
  t.equal(output, '0; 7 pages kept', 'from the first page that is seen to the last, and no other')
})

t.test('pages that replace a mapping go with the last of its readers', async (t) => {
  await support.collectGarbage()
  const before = native.keptMemory()
  useReaders()
  t.strictSame(native.keptMemory(), [(before[0] as number) + support.PAGE, before[1]])
  await support.collectGarbage()
  t.strictSame(native.keptMemory(), before)
})

function useReaders(): void {
  using memfd = support.sizedMemfd()
  using mapping = Mapping.map(memfd, support.PAGE, mmap.PROT_READ, mmap.MAP_SHARED)
  for (let i = 0; i < 100; i++) mapping.int32ReaderBE(0)()
}

t.test('a mapping without readers leaves nothing', async (t) => {
  using memfd = support.sizedMemfd()
  const before = native.keptMemory()
  for (let i = 0; i < 100; i++) Mapping.map(memfd, support.PAGE, mmap.PROT_READ, mmap.MAP_SHARED).unmap()
  t.strictSame(native.keptMemory(), before)
})

t.test(
  'a mapping of huge pages is unmapped whole, whatever length was asked for, and its readers see zeros',
  async (t) => {
    const { MFD_HUGETLB, MFD_HUGE_2MB } = constants
    let memfd: OwnedFd
    try {
      memfd = memfdCreate('huge', MFD_HUGETLB | MFD_HUGE_2MB)
      ftruncate(memfd, 4 << 20)
    } catch (error) {
      t.match(error, { code: /ENOSYS|EINVAL|ENODEV|ENOMEM/ }, 'this kernel has no huge pages')
      return
    }
    for (const length of [1, support.PAGE, 2 << 20, (2 << 20) + 1, 4 << 20]) {
      // Unreserved: it may be mapped where there are no such pages, but not touched.
      const mapping = Mapping.map(memfd, length, mmap.PROT_READ, mmap.MAP_SHARED | mmap.MAP_NORESERVE)
      t.equal(support.memfdMappings().length, 1)
      const read = length > support.PAGE ? mapping.int32ReaderBE(support.PAGE) : () => undefined
      mapping.unmap()
      t.notOk(mapping.isMapped)
      t.throws(() => (length > support.PAGE ? read() : mapping.readInt32BE(0)), { code: 'ERR_CLOSED' })
      t.strictSame(support.memfdMappings(), [])
    }
    memfd.close()
  },
)
