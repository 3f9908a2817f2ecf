import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import t from 'tap'
import * as api from '../src/index.ts'
import { codeOf, leakChecked, PAGE, sizedMemfd } from '../test-support/index.ts'

leakChecked(t)
const { MFD_ALLOW_SEALING, MFD_EXEC, MFD_NOEXEC_SEAL } = api.constants
const { F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE } = api.constants

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
      using memfd = api.memfdCreate('flags', flags)
      t.equal(api.fstat(memfd).mode & 0o777, mode)
      t.equal(api.getSeals(memfd), seals)
      t.equal(api.fstat(memfd).size, 0)
    },
  )
}

t.test('a memfd is CLOEXEC without being told', async (t) => {
  using memfd = api.memfdCreate('cloexec')
  t.match(readFileSync(`/proc/self/fdinfo/${memfd.fd}`, 'utf8'), /^flags:\s+02\d{6}$/m)
})

t.test('the name shows in /proc and may be empty', async (t) => {
  using named = api.memfdCreate('größe')
  t.equal(readlinkSync(`/proc/self/fd/${named.fd}`), '/memfd:größe (deleted)')
  using nameless = api.memfdCreate('')
  t.equal(readlinkSync(`/proc/self/fd/${nameless.fd}`), '/memfd: (deleted)')
})

t.test('a name of 249 bytes is the longest', async (t) => {
  t.equal(
    codeOf(() => api.memfdCreate('n'.repeat(249))),
    'ok',
  )
  t.equal(
    codeOf(() => api.memfdCreate('n'.repeat(250))),
    'EINVAL',
  )
})

const REFUSED: [string, () => unknown, string][] = [
  ['a name with a NUL', () => api.memfdCreate('a\0b'), 'EINVAL'],
  ['EXEC with NOEXEC_SEAL', () => api.memfdCreate('x', MFD_EXEC | MFD_NOEXEC_SEAL), 'EINVAL'],
  ['unknown flags', () => api.memfdCreate('x', 0x800), 'EINVAL'],
  ['a name that is no string', () => api.memfdCreate(5 as unknown as string), 'ERR_INVALID_ARG_TYPE'],
  ['flags that are no number', () => api.memfdCreate('x', '1' as unknown as number), 'ERR_INVALID_ARG_TYPE'],
  ['fractional flags', () => api.memfdCreate('x', 0.5), 'ERR_OUT_OF_RANGE'],
]
for (const [what, create, code] of REFUSED) {
  t.test(`memfdCreate refuses ${what} with ${code}`, async (t) => {
    t.equal(codeOf(create), code)
  })
}

t.test('a seal is added to the others and stays', async (t) => {
  using memfd = sizedMemfd()
  api.addSeals(memfd, F_SEAL_SHRINK)
  api.addSeals(memfd, F_SEAL_GROW | F_SEAL_SHRINK)
  t.equal(api.getSeals(memfd), F_SEAL_SHRINK | F_SEAL_GROW)
})

t.test('a read-only descriptor reads the seals and adds none', async (t) => {
  using memfd = sizedMemfd()
  api.addSeals(memfd, F_SEAL_SHRINK)
  using readOnly = api.reopen(memfd, api.constants.O_RDONLY)
  t.equal(api.getSeals(readOnly), F_SEAL_SHRINK)
  t.equal(
    codeOf(() => api.addSeals(readOnly, F_SEAL_GROW)),
    'EPERM',
  )
})

t.test('a memfd made without sealing takes no seal', async (t) => {
  using memfd = api.memfdCreate('unsealable')
  t.equal(
    codeOf(() => api.addSeals(memfd, F_SEAL_GROW)),
    'EPERM',
  )
})

t.test('F_SEAL_EXEC on an executable memfd seals the contents too', async (t) => {
  using memfd = sizedMemfd()
  api.addSeals(memfd, F_SEAL_EXEC)
  t.equal(api.getSeals(memfd), F_SEAL_EXEC | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
})

t.test('a descriptor that is not a memfd has no seals', async (t) => {
  const [reader, writer] = api.pipe()
  t.equal(
    codeOf(() => api.getSeals(reader)),
    'EINVAL',
  )
  t.equal(
    codeOf(() => api.addSeals(writer, F_SEAL_GROW)),
    'EINVAL',
  )
  reader.close()
  writer.close()
})

t.test('an executable mode cannot be set against F_SEAL_EXEC', async (t) => {
  using memfd = api.memfdCreate('noexec', MFD_NOEXEC_SEAL)
  t.equal(
    codeOf(() => api.fchmod(memfd, 0o777)),
    'EPERM',
  )
  api.fchmod(memfd, 0o400)
  t.equal(api.fstat(memfd).mode & 0o777, 0o400)
})

t.test('ftruncate grows with zeros and shrinks', async (t) => {
  using memfd = sizedMemfd(10)
  api.ftruncate(memfd, 20)
  t.same(readFileSync(`/proc/self/fd/${memfd.fd}`), Buffer.alloc(20))
  api.ftruncate(memfd, 5)
  t.equal(api.fstat(memfd).size, 5)
  t.equal(
    codeOf(() => api.ftruncate(memfd, -1)),
    'EINVAL',
  )
})

t.test('fallocate allocates the pages and punches them out again', async (t) => {
  using memfd = sizedMemfd(8 * PAGE)
  t.equal(api.fstat(memfd).blocks, 0)
  api.fallocate(memfd, 0, 0, 8 * PAGE)
  t.equal(api.fstat(memfd).blocks, (8 * PAGE) / 512)
  api.fallocate(memfd, api.constants.FALLOC_FL_PUNCH_HOLE | api.constants.FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE)
  t.equal(api.fstat(memfd).blocks, (6 * PAGE) / 512)
  t.equal(api.fstat(memfd).size, 8 * PAGE)
})

t.test('fallocate works past 2 GiB', async (t) => {
  using memfd = sizedMemfd(0)
  api.fallocate(memfd, 0, 2 ** 32, PAGE)
  t.match(api.fstat(memfd), { size: 2 ** 32 + PAGE, blocks: PAGE / 512 })
})

t.test('a call that is refused for a wrong argument has changed nothing', async (t) => {
  using memfd = sizedMemfd()
  const state = () => {
    const { mode, size } = api.fstat(memfd)
    return { mode, size, seals: api.getSeals(memfd), descriptors: readdirSync('/proc/self/fd').length }
  }
  const before = state()
  const wrong = [-(2 ** 31) - 1, 2 ** 32, 2 ** 53, 0.5, Number.NaN, '1', null, {}, 1n, 2 ** 31] as never[]
  for (const number of wrong) {
    for (const [what, act] of Object.entries({
      fchmod: () => api.fchmod(memfd, number),
      addSeals: () => api.addSeals(memfd, number),
      fallocate: () => api.fallocate(memfd, number, 0, 2 * PAGE),
      dup: () => api.dup(memfd, number),
      reopen: () => api.reopen(memfd, number),
    })) {
      t.match(codeOf(act), /^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/, `${what} ${String(number)}`)
    }
    t.match(
      codeOf(() => api.memfdCreate('x', number)),
      /^ERR_|^EINVAL$/,
    )
  }
  for (const size of wrong.slice(2, -1)) {
    t.match(
      codeOf(() => api.ftruncate(memfd, size)),
      /^ERR_/,
    )
  }
  t.strictSame(state(), before)
})
