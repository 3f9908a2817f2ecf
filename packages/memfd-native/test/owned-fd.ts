import t from 'tap'
import { constants, dup, fstat, getrlimit, type OwnedFd, OwnedFd as Owner, pipe } from '../src/index.ts'
import * as support from '../test-support/index.ts'

support.leakChecked(t)

const isCloexec = (fd: number) => {
  const flags = /^flags:\s+(\d+)$/m.exec(support.nodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
  return (Number.parseInt(flags, 8) & 0o2000000) !== 0
}

t.test('close closes the number, once', async (t) => {
  const memfd = support.sizedMemfd()
  const number = memfd.fd
  t.notOk(memfd.isClosed)
  memfd.close()
  t.equal(memfd.fd, -1)
  t.ok(memfd.isClosed)
  t.equal(
    support.codeOf(() => support.nodeFs.fstatSync(number)),
    'EBADF',
  )
})

t.test('close again does not close the next owner of the number', async (t) => {
  const first = support.sizedMemfd()
  const number = first.fd
  first.close()
  using second = support.sizedMemfd()
  t.equal(second.fd, number, 'the kernel used the number again')
  first.close()
  t.equal(
    support.codeOf(() => fstat(second)),
    'ok',
  )
})

t.test('a released number stays open and belongs to the caller', async (t) => {
  const memfd = support.sizedMemfd()
  const number = memfd.release()
  t.equal(memfd.fd, -1)
  t.equal(memfd.release(), -1)
  memfd.close()
  t.equal(
    support.codeOf(() => support.nodeFs.fstatSync(number)),
    'ok',
  )
  support.nodeFs.closeSync(number)
})

t.test('the end of a using block closes', async (t) => {
  let kept: OwnedFd
  {
    using memfd = support.sizedMemfd()
    kept = memfd
  }
  t.ok(kept.isClosed)
})

t.test('an adopted number is owned, and CLOEXEC from then on', async (t) => {
  const [reader, writer] = pipe()
  const number = reader.release()
  using adopted = Owner.adopt(number)
  t.equal(adopted.fd, number)
  t.ok(isCloexec(number))
  writer.close()
})

t.test('a descriptor inherited without CLOEXEC becomes CLOEXEC by adoption', async (t) => {
  const inherited = support.nodeFs.openSync('/proc/self/fd', 'r')
  using adopted = Owner.adopt(inherited)
  t.ok(isCloexec(adopted.fd))
})

t.test('a number that is not open is refused, with EBADF', async (t) => {
  using memfd = support.sizedMemfd()
  const free = dup(memfd)
  const number = free.fd
  free.close()
  t.equal(
    support.codeOf(() => Owner.adopt(number)),
    'EBADF',
  )
})

t.test('no number makes the process grow, abort, or end late', async (t) => {
  const ended = support.runScript(`
    const { OwnedFd } = native
    const before = process.memoryUsage.rss()
    for (const number of [2147483647, 2147483646, 2e9, 1e9, 1e8, 2 ** 24]) {
      try {
        OwnedFd.adopt(number)
      } catch ({ code }) {
        console.log(code)
      }
    }
    console.log(process.memoryUsage.rss() - before < 2 ** 24)`)
  t.strictSame(ended, { status: 0, signal: null, output: `${'EBADF\n'.repeat(6)}true\n`, errors: '' })
})

t.test('the highest numbers that are allowed are owned like any other, and closed with their thread', async (t) => {
  using memfd = support.sizedMemfd()
  const highest = getrlimit(constants.RLIMIT_NOFILE).soft - 1
  const worker = new support.nodeWorkerThreads.Worker(
    `const { workerData: { index, fd, highest } } = require('node:worker_threads')
     import(index).then(({ dup, OwnedFd }) => {
       dup(fd, highest)
       OwnedFd.adopt(dup(fd, highest - 100).release())
     })`,
    { eval: true, workerData: { index: support.indexUrl, fd: memfd.fd, highest } },
  )
  t.strictSame(await support.nodeEvents.once(worker, 'exit'), [0])
  for (const number of [highest, highest - 100]) {
    t.equal(
      support.codeOf(() => fstat(number)),
      'EBADF',
    )
  }
})

const WRONG: [string, unknown, string][] = [
  ['a string', '3', 'ERR_INVALID_ARG_TYPE'],
  ['null', null, 'ERR_INVALID_ARG_TYPE'],
  ['undefined', undefined, 'ERR_INVALID_ARG_TYPE'],
  ['a bigint', 3n, 'ERR_INVALID_ARG_TYPE'],
  ['-1', -1, 'ERR_OUT_OF_RANGE'],
  ['a fraction', 1.5, 'ERR_OUT_OF_RANGE'],
  ['NaN', Number.NaN, 'ERR_OUT_OF_RANGE'],
  ['2^31', 2 ** 31, 'ERR_OUT_OF_RANGE'],
]
for (const [what, value, code] of WRONG) {
  t.test(`adopting ${what} is refused with ${code}`, async (t) => {
    t.equal(
      support.codeOf(() => Owner.adopt(value as number)),
      code,
    )
  })
}

for (const value of ['3', null, undefined, {}, 3n]) {
  t.test(`${typeof value} ${value} for a descriptor is a TypeError`, async (t) => {
    t.throws(() => fstat(value as unknown as number), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  })
}
