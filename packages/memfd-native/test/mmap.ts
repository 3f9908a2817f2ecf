import { readSync } from 'node:fs'
import t from 'tap'
import { addSeals, constants, fstat, mmap } from '../src/index.ts'
import * as support from '../test-support/index.ts'

support.leakChecked(t)
const { PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS } = mmap
const READ_WRITE = PROT_READ | PROT_WRITE

const odd = (value: unknown) => value as never

function newBuffer(size = support.PAGE): Buffer {
  using memfd = support.sizedMemfd(size)
  return mmap.map(size, READ_WRITE, MAP_SHARED, memfd)
}

t.test('map answers a Buffer over the file itself', async (t) => {
  using memfd = support.sizedMemfd()
  const buffer = mmap.map(support.PAGE, READ_WRITE, MAP_SHARED, memfd.fd)
  t.ok(Buffer.isBuffer(buffer))
  t.equal(buffer.length, support.PAGE)
  buffer.write('hello')
  const inFile = Buffer.alloc(5)
  readSync(memfd.fd, inFile, 0, 5, 0)
  t.equal(inFile.toString('latin1'), 'hello')
  mmap.unmap(buffer)
})

t.test('unmap leaves length 0 in every view and nothing mapped, at once and as often as wanted', async (t) => {
  const buffer = newBuffer()
  const { buffer: arrayBuffer } = buffer
  const part = buffer.subarray(10)
  const words = new Int32Array(arrayBuffer)
  mmap.unmap(buffer)
  t.same([buffer.length, part.length, words.length, arrayBuffer.byteLength], [0, 0, 0, 0])
  t.equal(support.memfdMappings().length, 0)
  mmap.unmap(buffer)
  mmap.unmap(part)
  t.equal(buffer[0], undefined)
})

t.test('unmap of a part unmaps the whole', async (t) => {
  const buffer = newBuffer()
  mmap.unmap(buffer.subarray(8, 16))
  t.equal(buffer.length, 0)
})

t.test('unmapping does not touch a new mapping at the same address', async (t) => {
  const first = newBuffer()
  mmap.unmap(first)
  const second = newBuffer()
  second[0] = 42
  mmap.unmap(first)
  await support.collectGarbage()
  t.equal(second[0], 42)
  t.equal(support.memfdMappings().length, 1)
  mmap.unmap(second)
})

t.test('a Buffer that is forgotten is unmapped by the garbage collector', async (t) => {
  newBuffer()
  t.equal(support.memfdMappings().length, 1)
  await support.collectGarbage()
  t.equal(support.memfdMappings().length, 0)
})

// Node 22 and later
if ('transfer' in ArrayBuffer.prototype) {
  t.test('unmap leaves memory alone that transfer() gave to a new owner', async (t) => {
    const buffer = newBuffer()
    buffer[0] = 42
    const moved = new Uint8Array((buffer.buffer as ArrayBuffer & { transfer(): ArrayBuffer }).transfer())
    mmap.unmap(buffer)
    t.equal(moved[0], 42)
    t.equal(
      support.codeOf(() => mmap.unmap(moved)),
      'ERR_INVALID_ARG_TYPE',
    )
  })
}

t.test('structuredClone moves no mapped memory', async (t) => {
  const buffer = newBuffer()
  support.codeOf(() => structuredClone(buffer.buffer, { transfer: [buffer.buffer as ArrayBuffer] }))
  t.equal(buffer.length, support.PAGE)
  mmap.unmap(buffer)
})

t.test('an anonymous mapping needs no file', async () => {
  const buffer = mmap.map(support.PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)
  buffer[support.PAGE - 1] = 1
  mmap.unmap(buffer)
})

t.test('offsets past 4 GiB are exact', async (t) => {
  using memfd = support.sizedMemfd(2 ** 32 + 2 * support.PAGE)
  const far = mmap.map(support.PAGE, READ_WRITE, MAP_SHARED, memfd, 2 ** 32 + support.PAGE)
  far.writeUInt32LE(42)
  const inFile = Buffer.alloc(4)
  readSync(memfd.fd, inFile, 0, 4, 2 ** 32 + support.PAGE)
  t.equal(inFile.readUInt32LE(), 42)
  mmap.unmap(far)
})

t.test('a Buffer of 3 GiB reaches its end', async (t) => {
  const size = 3 * 2 ** 30
  const buffer = newBuffer(size)
  buffer[size - 1] = 42
  t.equal(buffer.length, size)
  t.equal(buffer[size - 1], 42)
  mmap.unmap(buffer)
})

t.test('advice is taken with map, for the whole, and for a part', async (t) => {
  using memfd = support.sizedMemfd(4 * support.PAGE)
  const buffer = mmap.map(4 * support.PAGE, READ_WRITE, MAP_SHARED, memfd, 0, mmap.MADV_SEQUENTIAL)
  buffer.fill(1)
  mmap.advise(buffer, mmap.MADV_RANDOM)
  mmap.advise(buffer, support.PAGE, support.PAGE, mmap.MADV_REMOVE)
  t.equal(fstat(memfd).blocks, (3 * support.PAGE) / 512)
  t.same([buffer[0], buffer[support.PAGE], buffer[2 * support.PAGE]], [1, 0, 1])
  t.equal(fstat(memfd).blocks, (4 * support.PAGE) / 512, 'reading a hole allocates its page')
  mmap.advise(buffer.subarray(2 * support.PAGE), 0, support.PAGE, mmap.MADV_REMOVE)
  t.equal(buffer[2 * support.PAGE], 0)
  mmap.unmap(buffer)
})

t.test('bad advice with map leaves nothing mapped', async (t) => {
  using memfd = support.sizedMemfd()
  t.equal(
    support.codeOf(() => mmap.map(support.PAGE, PROT_READ, MAP_SHARED, memfd, 0, 999)),
    'EINVAL',
  )
})

t.test('incore counts the pages that are not in memory, and those that are', async (t) => {
  const buffer = newBuffer(4 * support.PAGE)
  buffer[support.PAGE] = 1
  t.same(mmap.incore(buffer), [3, 1])
  t.same(mmap.incore(buffer.subarray(support.PAGE, support.PAGE + 1)), [0, 1])
  mmap.unmap(buffer)
})

t.test('sync takes mmap-io its five arguments', async (t) => {
  const buffer = newBuffer(2 * support.PAGE)
  mmap.sync(buffer)
  mmap.sync(buffer, support.PAGE, support.PAGE, true)
  mmap.sync(buffer, 0, 2 * support.PAGE, false, true)
  t.equal(
    support.codeOf(() => mmap.sync(buffer, 1, 10)),
    'EINVAL',
    'not a page',
  )
  mmap.unmap(buffer)
})

t.test('sync takes the other form of mmap-io, for the whole', async (t) => {
  const buffer = newBuffer()
  for (const args of [[true], [false, true], [true, false]] as [boolean, boolean?][]) mmap.sync(buffer, ...args)
  t.equal(
    support.codeOf(() => mmap.sync(buffer, odd('text'))),
    'ERR_INVALID_ARG_TYPE',
  )
  mmap.unmap(buffer)
})

t.test('protect makes pages writable, unless a seal forbids it', async (t) => {
  using memfd = support.sizedMemfd()
  const buffer = mmap.map(support.PAGE, PROT_READ, MAP_SHARED, memfd)
  mmap.protect(buffer, READ_WRITE)
  buffer[0] = 42
  mmap.protect(buffer, PROT_READ)
  mmap.unmap(buffer)
  addSeals(memfd, constants.F_SEAL_WRITE)
  const sealed = mmap.map(support.PAGE, PROT_READ, MAP_PRIVATE, memfd)
  t.equal(sealed[0], 42)
  mmap.unmap(sealed)
})

const ON_BUFFERS: Record<string, (buffer: Buffer) => unknown> = {
  unmap: (buffer) => mmap.unmap(buffer),
  protect: (buffer) => mmap.protect(buffer, PROT_READ),
  advise: (buffer) => mmap.advise(buffer, mmap.MADV_DONTNEED),
  incore: (buffer) => mmap.incore(buffer),
  sync: (buffer) => mmap.sync(buffer),
}
for (const [name, call] of Object.entries(ON_BUFFERS)) {
  t.test(`${name} refuses memory that was not mapped here`, async (t) => {
    const strangers = [
      Buffer.alloc(support.PAGE),
      Buffer.allocUnsafe(8),
      new Uint8Array(new SharedArrayBuffer(8)),
      'text',
      null,
      undefined,
    ]
    for (const stranger of strangers) {
      t.throws(() => call(stranger as Buffer), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    }
  })

  const afterUnmap = name === 'unmap' ? 'ok' : 'ERR_CLOSED'
  t.test(`${name} after unmap is ${afterUnmap}`, async (t) => {
    const buffer = newBuffer()
    mmap.unmap(buffer)
    t.equal(
      support.codeOf(() => call(buffer)),
      afterUnmap,
    )
  })
}

const REFUSED: [string, () => unknown, string][] = [
  ['size 0', () => mmap.map(0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1), 'EINVAL'],
  [
    'a size no Buffer can have',
    () => mmap.map(2 ** 53, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1),
    'ERR_OUT_OF_RANGE',
  ],
  ['a fractional size', () => mmap.map(1.5, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1), 'ERR_OUT_OF_RANGE'],
  ['a size that is a string', () => mmap.map(odd('1'), PROT_READ, MAP_SHARED, 0), 'ERR_INVALID_ARG_TYPE'],
  ['a descriptor that is null', () => mmap.map(support.PAGE, PROT_READ, MAP_SHARED, odd(null)), 'ERR_INVALID_ARG_TYPE'],
  ['no descriptor', () => mmap.map(support.PAGE, PROT_READ, MAP_SHARED, -1), 'EBADF'],
  ['MAP_FIXED', () => mmap.map(support.PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x10, -1), 'EINVAL'],
]
for (const [what, attempt, code] of REFUSED) {
  t.test(`map refuses ${what} with ${code}`, async (t) => {
    t.equal(support.codeOf(attempt), code)
  })
}

t.test('memory that is too large for a Buffer is refused, and the thread ends as others do', async (t) => {
  const { status, signal, output, errors } = support.runFixture('asks-for-too-large-a-view')
  t.strictSame({ status, signal, errors }, { status: 0, signal: null, errors: '' })
  t.match(output, /^((ERR_BUFFER_TOO_LARGE|errno)\n){3}$/)
})

t.test('a write to a Buffer mapped read-only is SIGSEGV, and no try catches it', async (t) => {
  const { signal, output } = support.runFixture('writes-a-read-only-buffer')
  t.equal(output, 'before\n')
  t.equal(signal, 'SIGSEGV')
})

t.test('PAGESIZE is a power of two of at least 4 KiB', async (t) => {
  t.ok(mmap.PAGESIZE >= 4096)
  t.equal(Math.log2(mmap.PAGESIZE) % 1, 0)
})
