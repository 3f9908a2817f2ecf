import { readFileSync, readlinkSync } from 'node:fs'
import t from 'tap'
import {
  addSeals,
  constants,
  fallocate,
  fchmod,
  fstat,
  ftruncate,
  getSeals,
  memfdCreate,
  pipe,
  reopen,
} from '../src/index.ts'
import { codeOf } from '../test-support/code-of.ts'
import { leakChecked } from '../test-support/leaks.ts'
import { PAGE, sizedMemfd } from '../test-support/memfd.ts'

leakChecked(t)
const { MFD_ALLOW_SEALING, MFD_EXEC, MFD_NOEXEC_SEAL } = constants
const { F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE } = constants

/** memfd_create(2), Linux 6.3 and later */
const FLAGS = [
  { flags: 0, mode: 0o777, seals: F_SEAL_SEAL },
  { flags: MFD_ALLOW_SEALING, mode: 0o777, seals: 0 },
  { flags: MFD_NOEXEC_SEAL, mode: 0o666, seals: F_SEAL_EXEC },
  { flags: MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL, mode: 0o666, seals: F_SEAL_EXEC },
]
for (const { flags, mode, seals } of FLAGS) {
  t.test(
    `flags 0x${flags.toString(16)} make mode 0${mode.toString(8)} and seals 0x${seals.toString(16)}`,
    async (t) => {
      using memfd = memfdCreate('flags', flags)
      t.equal(fstat(memfd).mode & 0o777, mode)
      t.equal(getSeals(memfd), seals)
      t.equal(fstat(memfd).size, 0)
    },
  )
}

t.test('a memfd is CLOEXEC without being told', async (t) => {
  using memfd = memfdCreate('cloexec')
  t.match(readFileSync(`/proc/self/fdinfo/${memfd.fd}`, 'utf8'), /^flags:\s+02\d{6}$/m)
})

t.test('the name shows in /proc and may be empty', async (t) => {
  using named = memfdCreate('größe')
  t.equal(readlinkSync(`/proc/self/fd/${named.fd}`), '/memfd:größe (deleted)')
  using nameless = memfdCreate('')
  t.equal(readlinkSync(`/proc/self/fd/${nameless.fd}`), '/memfd: (deleted)')
})

t.test('a name of 249 bytes is the longest', async (t) => {
  t.equal(
    codeOf(() => memfdCreate('n'.repeat(249))),
    'ok',
  )
  t.equal(
    codeOf(() => memfdCreate('n'.repeat(250))),
    'EINVAL',
  )
})

const REFUSED: [string, () => unknown, string][] = [
  ['a name with a NUL', () => memfdCreate('a\0b'), 'EINVAL'],
  ['EXEC with NOEXEC_SEAL', () => memfdCreate('x', MFD_EXEC | MFD_NOEXEC_SEAL), 'EINVAL'],
  ['unknown flags', () => memfdCreate('x', 0x800), 'EINVAL'],
  ['a name that is no string', () => memfdCreate(5 as unknown as string), 'ERR_INVALID_ARG_TYPE'],
  ['flags that are no number', () => memfdCreate('x', '1' as unknown as number), 'ERR_INVALID_ARG_TYPE'],
  ['fractional flags', () => memfdCreate('x', 0.5), 'ERR_OUT_OF_RANGE'],
]
for (const [what, create, code] of REFUSED) {
  t.test(`memfdCreate refuses ${what} with ${code}`, async (t) => {
    t.equal(codeOf(create), code)
  })
}

t.test('a seal is added to the others and stays', async (t) => {
  using memfd = sizedMemfd()
  addSeals(memfd, F_SEAL_SHRINK)
  addSeals(memfd, F_SEAL_GROW | F_SEAL_SHRINK)
  t.equal(getSeals(memfd), F_SEAL_SHRINK | F_SEAL_GROW)
})

t.test('a read-only descriptor reads the seals and adds none', async (t) => {
  using memfd = sizedMemfd()
  addSeals(memfd, F_SEAL_SHRINK)
  using readOnly = reopen(memfd, constants.O_RDONLY)
  t.equal(getSeals(readOnly), F_SEAL_SHRINK)
  t.equal(
    codeOf(() => addSeals(readOnly, F_SEAL_GROW)),
    'EPERM',
  )
})

t.test('a memfd made without sealing takes no seal', async (t) => {
  using memfd = memfdCreate('unsealable')
  t.equal(
    codeOf(() => addSeals(memfd, F_SEAL_GROW)),
    'EPERM',
  )
})

t.test('F_SEAL_EXEC on an executable memfd seals the contents too', async (t) => {
  using memfd = sizedMemfd()
  addSeals(memfd, F_SEAL_EXEC)
  t.equal(getSeals(memfd), F_SEAL_EXEC | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
})

t.test('what is no memfd has no seals', async (t) => {
  const [reader, writer] = pipe()
  t.equal(
    codeOf(() => getSeals(reader)),
    'EINVAL',
  )
  t.equal(
    codeOf(() => addSeals(writer, F_SEAL_GROW)),
    'EINVAL',
  )
  reader.close()
  writer.close()
})

t.test('an executable mode cannot be set against F_SEAL_EXEC', async (t) => {
  using memfd = memfdCreate('noexec', MFD_NOEXEC_SEAL)
  t.equal(
    codeOf(() => fchmod(memfd, 0o777)),
    'EPERM',
  )
  fchmod(memfd, 0o400)
  t.equal(fstat(memfd).mode & 0o777, 0o400)
})

t.test('ftruncate grows with zeros and shrinks', async (t) => {
  using memfd = sizedMemfd(10)
  ftruncate(memfd, 20)
  t.same(readFileSync(`/proc/self/fd/${memfd.fd}`), Buffer.alloc(20))
  ftruncate(memfd, 5)
  t.equal(fstat(memfd).size, 5)
  t.equal(
    codeOf(() => ftruncate(memfd, -1)),
    'EINVAL',
  )
})

t.test('fallocate allocates the pages and punches them out again', async (t) => {
  using memfd = sizedMemfd(8 * PAGE)
  t.equal(fstat(memfd).blocks, 0)
  fallocate(memfd, 0, 0, 8 * PAGE)
  t.equal(fstat(memfd).blocks, (8 * PAGE) / 512)
  fallocate(memfd, constants.FALLOC_FL_PUNCH_HOLE | constants.FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE)
  t.equal(fstat(memfd).blocks, (6 * PAGE) / 512)
  t.equal(fstat(memfd).size, 8 * PAGE)
})

t.test('fallocate works past 2 GiB', async (t) => {
  using memfd = sizedMemfd(0)
  fallocate(memfd, 0, 2 ** 32, PAGE)
  t.match(fstat(memfd), { size: 2 ** 32 + PAGE, blocks: PAGE / 512 })
})
