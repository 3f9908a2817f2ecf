/**
 * What each seal refuses its owner: the table of fcntl(2) and of the kernel's memfd_test.c, cell by cell. The owner has
 * a read-write descriptor and, but for F_SEAL_WRITE, which forbids it, a writable mapping made before the seal.
 */
import { writeSync } from 'node:fs'
import t from 'tap'
import * as api from '../src/index.ts'
import { codeOf, leakChecked, PAGE, sizedMemfd } from '../test-support/index.ts'

leakChecked(t)
const { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE } = api.constants
const { FALLOC_FL_PUNCH_HOLE, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE, O_RDWR, O_TRUNC } = api.constants
const { PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE, MADV_REMOVE } = api.mmap
const SIZE = 4 * PAGE

const SEALS = {
  none: 0,
  SHRINK: F_SEAL_SHRINK,
  GROW: F_SEAL_GROW,
  WRITE: F_SEAL_WRITE,
  FUTURE_WRITE: F_SEAL_FUTURE_WRITE,
  region: F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL,
}

/** A shared read-only view made before the seal would forbid it, on which `attempt` is made. */
function withView(fd: api.OwnedFd, attempt: (view: Buffer) => void): void {
  using readOnly = api.reopen(fd, api.constants.O_RDONLY)
  const view = api.mmap.map(SIZE, PROT_READ, MAP_SHARED, readOnly)
  try {
    attempt(view)
  } finally {
    api.mmap.unmap(view)
  }
}

function mapWritableAgain(fd: api.OwnedFd): api.Mapping {
  using again = api.reopen(fd, O_RDWR)
  return api.Mapping.map(again, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED)
}

const OPERATIONS: Record<string, (fd: api.OwnedFd) => unknown> = {
  write: (fd) => writeSync(fd.fd, 'x', 0),
  'ftruncate smaller': (fd) => api.ftruncate(fd, PAGE),
  'ftruncate to the same size': (fd) => api.ftruncate(fd, SIZE),
  'ftruncate larger': (fd) => api.ftruncate(fd, 2 * SIZE),
  'reopen O_TRUNC': (fd) => api.reopen(fd, O_RDWR | O_TRUNC),
  'reopen O_RDWR': (fd) => api.reopen(fd, O_RDWR),
  'fallocate inside': (fd) => api.fallocate(fd, 0, 0, SIZE),
  'fallocate beyond the end': (fd) => api.fallocate(fd, 0, 0, 2 * SIZE),
  'punch a hole': (fd) => api.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
  'zero a range': (fd) => api.fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE),
  'map writable, shared': (fd) => api.Mapping.map(fd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED),
  'map writable, shared, reopened': mapWritableAgain,
  'map writable, private': (fd) => api.Mapping.map(fd, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE),
  'mprotect a view writable': (fd) => withView(fd, (view) => api.mmap.protect(view, PROT_READ | PROT_WRITE)),
  'MADV_REMOVE on a view': (fd) => withView(fd, (view) => api.mmap.advise(view, MADV_REMOVE)),
  'add a seal': (fd) => api.addSeals(fd, F_SEAL_SHRINK),
}

const REFUSED: Record<string, Partial<Record<keyof typeof SEALS, string>>> = {
  write: { WRITE: 'EPERM', FUTURE_WRITE: 'EPERM', region: 'EPERM' },
  'ftruncate smaller': { SHRINK: 'EPERM', region: 'EPERM' },
  'ftruncate larger': { GROW: 'EPERM', region: 'EPERM' },
  'reopen O_TRUNC': { SHRINK: 'EPERM', region: 'EPERM' },
  'fallocate beyond the end': { GROW: 'EPERM', region: 'EPERM' },
  'punch a hole': { WRITE: 'EPERM', FUTURE_WRITE: 'EPERM', region: 'EPERM' },
  'map writable, shared': { WRITE: 'EPERM', FUTURE_WRITE: 'EPERM', region: 'EPERM' },
  'map writable, shared, reopened': { WRITE: 'EPERM', FUTURE_WRITE: 'EPERM', region: 'EPERM' },
  'add a seal': { region: 'EPERM' },
}
/** Whatever the seals: tmpfs cannot zero a range; a view of a read-only descriptor can never become writable. */
const ALWAYS: Record<string, string> = {
  'zero a range': 'ENOTSUP',
  'mprotect a view writable': 'EACCES',
  'MADV_REMOVE on a view': 'EACCES',
}

for (const [sealName, seals] of Object.entries(SEALS)) {
  for (const [operation, attempt] of Object.entries(OPERATIONS)) {
    const refusal = REFUSED[operation]?.[sealName as keyof typeof SEALS]
    const expected = ALWAYS[operation] ?? refusal ?? 'ok'
    t.test(`sealed ${sealName}: ${operation} is ${expected}`, async (t) => {
      using memfd = sizedMemfd(SIZE)
      using mapping = seals === F_SEAL_WRITE ? null : api.Mapping.map(memfd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED)
      api.addSeals(memfd, seals)
      t.equal(
        codeOf(() => attempt(memfd)),
        expected,
      )
      t.equal(api.getSeals(memfd) & seals, seals)
      t.equal(mapping?.isMapped ?? true, true)
    })
  }
}

t.test('a view of the writable descriptor can be made writable until a seal forbids it', async (t) => {
  using memfd = sizedMemfd(SIZE)
  const view = api.mmap.map(SIZE, PROT_READ, MAP_SHARED, memfd)
  api.mmap.protect(view, PROT_READ | PROT_WRITE)
  view[0] = 1
  api.mmap.unmap(view)
  api.addSeals(memfd, F_SEAL_FUTURE_WRITE)
  const sealed = api.mmap.map(SIZE, PROT_READ, MAP_SHARED, memfd)
  t.equal(
    codeOf(() => api.mmap.protect(sealed, PROT_READ | PROT_WRITE)),
    'EACCES',
  )
  api.mmap.unmap(sealed)
})

t.test('F_SEAL_WRITE is EBUSY while a writable mapping exists', async (t) => {
  using memfd = sizedMemfd(SIZE)
  const mapping = api.Mapping.map(memfd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED)
  t.equal(
    codeOf(() => api.addSeals(memfd, F_SEAL_WRITE)),
    'EBUSY',
  )
  mapping.unmap()
  t.equal(
    codeOf(() => api.addSeals(memfd, F_SEAL_WRITE)),
    'ok',
  )
})

t.test('the writable mapping of before FUTURE_WRITE goes on writing, and readers see it', async (t) => {
  using memfd = sizedMemfd(SIZE)
  using writer = api.Mapping.map(memfd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED)
  api.addSeals(memfd, SEALS.region)
  using readOnly = api.reopen(memfd, api.constants.O_RDONLY)
  using reader = api.Mapping.map(readOnly, SIZE, PROT_READ, MAP_SHARED)
  writer.writeInt32BE(0, 42)
  t.equal(reader.readInt32BE(0), 42)
})
