import t from 'tap'
import { ParcelFileDescriptor } from '../../src/index.ts'
import type { DescriptorPair } from '../../src/os/parcel-file-descriptor.ts'
import { leakChecked, nodeChildProcess, nodeFs, nodePath, nodeUrl, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const { MODE_READ_ONLY, MODE_READ_WRITE, MODE_CREATE } = ParcelFileDescriptor
const O_CLOEXEC = 0o2000000

/** The next bytes at the descriptor's own offset. */
function read(pfd: ParcelFileDescriptor, count: number): string {
  const buffer = Buffer.alloc(count)
  return buffer.toString('latin1', 0, nodeFs.readSync(pfd.getFd(), buffer))
}

/** Which file, pipe or socket a descriptor leads to. */
function identity(fd: number): string {
  const { dev, ino } = nodeFs.fstatSync(fd)
  return `${dev}:${ino}`
}

function data(text: string): ParcelFileDescriptor {
  const pfd = ParcelFileDescriptor.fromData(Buffer.from(text), 'test')
  if (pfd === null) throw new Error('data in, descriptor out')
  return pfd
}

t.test("the mode bits are Android's", async (t) => {
  const bits = {
    MODE_WORLD_READABLE: 0x1,
    MODE_WORLD_WRITEABLE: 0x2,
    MODE_READ_ONLY: 0x10000000,
    MODE_WRITE_ONLY: 0x20000000,
    MODE_READ_WRITE: 0x30000000,
    MODE_CREATE: 0x08000000,
    MODE_TRUNCATE: 0x04000000,
    MODE_APPEND: 0x02000000,
  } as const
  for (const [name, value] of Object.entries(bits)) t.equal(Reflect.get(ParcelFileDescriptor, name), value, name)
  t.equal(ParcelFileDescriptor.parseMode('rw'), MODE_READ_WRITE | MODE_CREATE)
})

t.test('open opens a file', async (t) => {
  const path = nodePath.join(t.testdir({ file: 'content' }), 'file')
  using pfd = ParcelFileDescriptor.open(path, MODE_READ_ONLY)
  t.equal(read(pfd, 20), 'content')
  t.equal(pfd.getStatSize(), 7)
  t.throws(() => nodeFs.writeSync(pfd.getFd(), 'x'), { code: 'EBADF' })
  t.throws(() => ParcelFileDescriptor.open(nodePath.join(path, 'no'), MODE_READ_ONLY), {
    code: 'ENOTDIR',
    syscall: 'open',
  })
})

t.test('all descriptors are close-on-exec', async (t) => {
  const number = nodeFs.openSync('/dev/null', 'r')
  const open = ParcelFileDescriptor.open('/dev/null', MODE_READ_ONLY)
  const all = [
    open,
    open.dup(),
    ParcelFileDescriptor.dup(open.getFileDescriptor()),
    ParcelFileDescriptor.fromFd(number),
    ParcelFileDescriptor.adoptFd(number),
    data('x'),
    ...ParcelFileDescriptor.createPipe(),
    ...ParcelFileDescriptor.createReliablePipe(),
    ...ParcelFileDescriptor.createSocketPair(),
    ...ParcelFileDescriptor.createReliableSocketPair(),
  ]
  for (const pfd of all) {
    const [, flags] = /^flags:\s*(\d+)$/m.exec(nodeFs.readFileSync(`/proc/self/fdinfo/${pfd.getFd()}`, 'utf8')) ?? []
    t.equal(Number.parseInt(flags ?? '', 8) & O_CLOEXEC, O_CLOEXEC)
    pfd.close()
  }
})

t.test('fromFd leaves the number to its owner, adoptFd takes it', async (t) => {
  const number = nodeFs.openSync('/dev/null', 'r')
  const duplicate = ParcelFileDescriptor.fromFd(number)
  t.not(duplicate.getFd(), number)
  t.equal(identity(duplicate.getFd()), identity(number))
  duplicate.close()
  t.ok(nodeFs.fstatSync(number), 'still open')

  const adopted = ParcelFileDescriptor.adoptFd(number)
  t.equal(adopted.getFd(), number)
  adopted.close()
  t.throws(() => nodeFs.fstatSync(number), { code: 'EBADF' })
})

t.test('numbers that are no descriptors are refused', async (t) => {
  const { fromFd, adoptFd } = ParcelFileDescriptor
  const closed = nodeFs.openSync('/dev/null', 'r')
  nodeFs.closeSync(closed)
  t.throws(() => fromFd(closed), { code: 'EBADF' })
  t.throws(() => fromFd(-1), { code: 'EBADF' })
  for (const number of [closed, 2 ** 31 - 1, 2e9]) t.throws(() => adoptFd(number), { code: 'EBADF' })
  t.throws(() => adoptFd(-1), { code: 'ERR_OUT_OF_RANGE' })
  for (const make of [fromFd, adoptFd]) {
    for (const number of [1.5, Number.NaN, 2 ** 31]) t.throws(() => make(number), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => Reflect.apply(make, null, ['3']), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

t.test('dups share the file offset and outlive each other', async (t) => {
  const first = data('0123456789')
  const second = first.dup()
  const third = ParcelFileDescriptor.dup(second.getFileDescriptor())
  t.equal(read(first, 3), '012')
  t.equal(read(second, 3), '345')
  t.equal(first.seekTo(1), 1)
  t.equal(read(third, 2), '12')
  first.close()
  second.close()
  t.equal(read(third, 2), '34')
  third.close()
})

t.test('a dup has no status channel', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createReliablePipe()
  using duplicate = sink.dup()
  t.equal(duplicate.canDetectErrors(), false)
  sink.close()
  source.checkError()
  source.close()
})

t.test('a wrapper is the same descriptor', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createReliablePipe()
  const wrapper = new ParcelFileDescriptor(sink)
  const outer = new ParcelFileDescriptor(wrapper)
  t.equal(outer.getFileDescriptor(), sink.getFileDescriptor())
  t.equal(outer.getFd(), sink.getFd())
  t.equal(outer.canDetectErrors(), true)
  outer.closeWithError('by the wrapper')
  t.throws(() => sink.getFd(), { code: 'ERR_CLOSED' })
  t.throws(() => wrapper.detachFd(), { code: 'ERR_CLOSED' })
  t.throws(() => source.checkError(), { message: 'Remote error: by the wrapper' })
  source.close()
})

t.test('only descriptors can be wrapped', async (t) => {
  t.throws(() => Reflect.construct(ParcelFileDescriptor, [null]), {
    code: 'ERR_NULL_POINTER',
    message: 'FileDescriptor must not be null',
  })
  t.throws(() => Reflect.construct(ParcelFileDescriptor, [3]), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('getFileDescriptor is one object, which turns invalid for all its holders', async (t) => {
  const pfd = data('x')
  const fd = pfd.getFileDescriptor()
  t.equal(fd, pfd.getFileDescriptor())
  t.equal(fd.getInt(), pfd.getFd())
  pfd.close()
  t.equal(fd.valid(), false)
  t.equal(pfd.getFileDescriptor(), fd)
})

t.test('a detached number is the caller to close', async (t) => {
  const pfd = data('x')
  const fd = pfd.getFileDescriptor()
  const number = pfd.detachFd()
  t.equal(fd.valid(), false)
  t.equal(nodeFs.fstatSync(number).size, 1)
  pfd.close()
  t.equal(nodeFs.fstatSync(number).size, 1)
  nodeFs.closeSync(number)
})

t.test('getStatSize is the size of files and regions, -1 of all else', async (t) => {
  using file = ParcelFileDescriptor.open(nodePath.join(t.testdir({ file: 'content' }), 'file'), MODE_READ_ONLY)
  using region = data('12345')
  using device = ParcelFileDescriptor.open('/dev/null', MODE_READ_ONLY)
  const [source, sink] = ParcelFileDescriptor.createPipe()
  const [one, other] = ParcelFileDescriptor.createSocketPair()
  const sizes = [file, region, device, source, sink, one, other].map((pfd) => pfd.getStatSize())
  t.same(sizes, [7, 5, -1, -1, -1, -1, -1])
  for (const pfd of [source, sink, one, other]) pfd.close()
})

t.test('seekTo sets the offset, past the end and 2 GiB too', async (t) => {
  using pfd = data('abc')
  t.equal(pfd.seekTo(2), 2)
  t.equal(read(pfd, 5), 'c')
  t.equal(pfd.seekTo(2 ** 40), 2 ** 40)
  t.equal(read(pfd, 5), '')
  t.throws(() => pfd.seekTo(-1), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => pfd.seekTo(0.5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => Reflect.apply(pfd.seekTo, pfd, ['1']), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('fromData is a read-only copy in a region', async (t) => {
  const bytes = Buffer.from('abcdef')
  using pfd = ParcelFileDescriptor.fromData(bytes.subarray(1, 4), 'alphabet')
  if (pfd === null) return t.fail('data in, descriptor out')
  bytes.fill('z')
  t.equal(read(pfd, 10), 'bcd')
  const link = `/proc/self/fd/${pfd.getFd()}`
  t.equal(nodeFs.readlinkSync(link), '/memfd:alphabet (deleted)')
  t.throws(() => nodeFs.writeSync(pfd.getFd(), 'x'), { code: 'EBADF' })
  t.throws(
    () => {
      // Root may open it read-write in spite of its mode: then the seals refuse.
      const fd = nodeFs.openSync(link, 'r+')
      try {
        nodeFs.writeSync(fd, 'x')
      } finally {
        nodeFs.closeSync(fd)
      }
    },
    { code: process.getuid?.() === 0 ? 'EPERM' : 'EACCES' },
  )
})

t.test('fromData gives null for null and needs a byte', async (t) => {
  t.equal(ParcelFileDescriptor.fromData(null, 'nothing'), null)
  t.throws(() => ParcelFileDescriptor.fromData(Buffer.alloc(0), 'empty'), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => Reflect.apply(ParcelFileDescriptor.fromData, null, ['text', 'name']), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => Reflect.apply(ParcelFileDescriptor.fromData, null, [Buffer.alloc(1), 7]), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
})

const pairs: { name: string; create: () => DescriptorPair; isReliable: boolean; bothWays: boolean }[] = [
  { name: 'createPipe', create: ParcelFileDescriptor.createPipe, isReliable: false, bothWays: false },
  { name: 'createReliablePipe', create: ParcelFileDescriptor.createReliablePipe, isReliable: true, bothWays: false },
  { name: 'createSocketPair', create: ParcelFileDescriptor.createSocketPair, isReliable: false, bothWays: true },
  {
    name: 'createReliableSocketPair',
    create: ParcelFileDescriptor.createReliableSocketPair,
    isReliable: true,
    bothWays: true,
  },
]

for (const { name, create, isReliable, bothWays } of pairs) {
  t.test(`${name} connects two ends`, async (t) => {
    const [one, other] = create()
    nodeFs.writeSync(other.getFd(), 'to one')
    t.equal(read(one, 10), 'to one')
    if (bothWays) {
      nodeFs.writeSync(one.getFd(), 'to other')
      t.equal(read(other, 10), 'to other')
    } else {
      t.throws(() => nodeFs.writeSync(one.getFd(), 'x'), { code: 'EBADF' })
    }
    t.same([one.canDetectErrors(), other.canDetectErrors()], [isReliable, isReliable])
    other.close()
    t.equal(read(one, 10), '', 'end of file')
    one.close()
  })
}

t.test('an unreliable pipe reports nothing', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createPipe()
  sink.closeWithError('nobody hears it')
  t.doesNotThrow(() => source.checkError())
  source.close()
})

t.test('when the process runs out of descriptors, EMFILE says so and nothing is left behind', async (t) => {
  const program = nodeUrl.fileURLToPath(import.meta.resolve('../../test-support/fixtures/few-descriptors.js'))
  const command = ['-c', 'ulimit -n 512; exec "$0" "$1"', process.execPath, program]
  const { stdout } = nodeChildProcess.spawnSync('sh', command, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.same(JSON.parse(stdout), {
    open: 2,
    'open with a listener': 4,
    dup: 1,
    fromData: 2,
    createPipe: 2,
    createReliablePipe: 4,
    createReliableSocketPair: 4,
    wrap: 3,
    OwnedValue: 2,
    OwnedStore: 3,
  })
})
