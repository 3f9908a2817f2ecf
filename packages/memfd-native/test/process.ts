import { readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { bootTime, constants, dup, getrlimit, isDumpable, kcmp, reopen, setDumpable, setrlimit } from '../src/index.ts'
import { codeOf, leakChecked, sizedMemfd } from '../test-support/index.ts'

leakChecked(t)
t.teardown(() => setDumpable(true))

t.test('a process that is not dumpable belongs to root in /proc, and still reopens its own files', async (t) => {
  t.ok(isDumpable())
  setDumpable(false)
  t.notOk(isDumpable())
  t.equal(statSync('/proc/self/mem').uid, 0)
  using memfd = sizedMemfd()
  t.equal(
    codeOf(() => reopen(memfd, constants.O_RDONLY)),
    'ok',
  )
  setDumpable(true)
  t.ok(isDumpable())
  t.equal(readFileSync('/proc/self/comm', 'utf8').length > 0, true)
})

t.test('setDumpable takes a boolean only', async (t) => {
  t.equal(
    codeOf(() => setDumpable(1 as unknown as boolean)),
    'ERR_INVALID_ARG_TYPE',
  )
})

t.test(
  'the soft limit of open files is what /proc says, and can be lowered and raised up to the hard one',
  async (t) => {
    const { RLIMIT_NOFILE } = constants
    const before = getrlimit(RLIMIT_NOFILE)
    t.teardown(() => setrlimit(RLIMIT_NOFILE, before))
    t.strictSame(before, openFilesLimit())
    setrlimit(RLIMIT_NOFILE, { ...before, soft: before.soft - 1 })
    t.strictSame(openFilesLimit(), { ...before, soft: before.soft - 1 })
    setrlimit(RLIMIT_NOFILE, { ...before, soft: before.hard })
    t.strictSame(getrlimit(RLIMIT_NOFILE), { soft: before.hard, hard: before.hard })
    t.equal(
      codeOf(() => setrlimit(RLIMIT_NOFILE, { soft: before.hard + 1, hard: before.hard })),
      'EINVAL',
    )
  },
)

t.test('a limit that there is not is infinite, both ways', async (t) => {
  const unlimited = { soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY }
  const { RLIMIT_FSIZE } = constants
  const before = getrlimit(RLIMIT_FSIZE)
  if (before.hard !== Number.POSITIVE_INFINITY) return t.comment('this process has a hard limit of file size')
  t.teardown(() => setrlimit(RLIMIT_FSIZE, before))
  setrlimit(RLIMIT_FSIZE, { ...before, soft: 2 ** 40 })
  t.strictSame(getrlimit(RLIMIT_FSIZE), { ...before, soft: 2 ** 40 })
  setrlimit(RLIMIT_FSIZE, unlimited)
  t.strictSame(getrlimit(RLIMIT_FSIZE), unlimited)
})

t.test('a resource that the kernel does not know, or no number, is refused', async (t) => {
  t.equal(
    codeOf(() => getrlimit(4711)),
    'EINVAL',
  )
  t.equal(
    codeOf(() => setrlimit(4711, { soft: 0, hard: 0 })),
    'EINVAL',
  )
  t.equal(
    codeOf(() => getrlimit('7' as unknown as number)),
    'ERR_INVALID_ARG_TYPE',
  )
})

t.test('kcmp tells descriptors that share one open file from those that do not', async (t) => {
  using memfd = sizedMemfd()
  using same = dup(memfd)
  using other = reopen(memfd, constants.O_RDONLY)
  const { pid } = process
  const { KCMP_FILE } = constants
  const compare = (a: { fd: number }, b: { fd: number }) => kcmp(KCMP_FILE, { pid, index: a.fd }, { pid, index: b.fd })
  t.equal(compare(memfd, same), 0)
  t.ok([1, 2].includes(compare(memfd, other)))
  t.equal(compare(memfd, other) + compare(other, memfd), 3, 'the order is the same from both sides')
  t.equal(
    codeOf(() => compare(memfd, { fd: 1_000_000 })),
    'EBADF',
  )
})

function openFilesLimit(): { soft: number; hard: number } {
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return { soft: Number(soft), hard: Number(hard) }
}

t.test('bootTime goes on as the monotonic clock does, in milliseconds', async (t) => {
  const [first, before] = [bootTime(), performance.now()]
  while (performance.now() - before < 5);
  const passed = performance.now() - before
  t.ok(bootTime() - first >= passed - 0.001)
  t.ok(first > 0)
})
