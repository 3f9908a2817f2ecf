/**
 * Another process that was given a region tries to change it. The region is made as a service makes it: mapped, sealed
 * against all but that one mapping, mode 0400. The attacker holds the read-write descriptor (a service that does not
 * reopen) or the fresh read-only one, and is the owner's uid, root (when the tests run as root) or another uid.
 */
import t from 'tap'
import { addSeals, constants, fchmod, Mapping, mmap, type OwnedFd, reopen } from '../src/index.ts'
import { leakChecked, PAGE, runFixture, sizedMemfd } from '../test-support/index.ts'

leakChecked(t)
const { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, O_RDONLY } = constants
const uid = process.getuid?.() ?? 0
const NOBODY = 65534

const ALLOWED = {
  'read the seals': 'ok',
  'map readable': 'ok',
  'map executable': 'ok',
  'map private and writable': 'ok',
}
const REFUSED_OF_READ_WRITE = {
  write: 'EPERM',
  'ftruncate smaller': 'EPERM',
  'ftruncate larger': 'EPERM',
  'punch a hole': 'EPERM',
  'map writable': 'EPERM',
  'mprotect writable': 'EACCES',
  MADV_REMOVE: 'EACCES',
  'add a seal': 'EPERM',
}
const REFUSED_OF_READ_ONLY = {
  ...REFUSED_OF_READ_WRITE,
  write: 'EBADF',
  'ftruncate smaller': 'EINVAL',
  'ftruncate larger': 'EINVAL',
  'punch a hole': 'EBADF',
  'map writable': 'EACCES',
}
/** Root passes every check of the mode; the seals stop it all the same. */
const REOPENING_AS_ROOT = {
  'reopen and write': 'ok, then EPERM',
  'reopen and map writable': 'ok, then EPERM',
  'reopen and punch a hole': 'ok, then EPERM',
  'reopen O_TRUNC': 'EPERM',
  'fchmod writable': 'ok',
}
const REOPENING_AS_OWNER = {
  'reopen and write': 'EACCES',
  'reopen and map writable': 'EACCES',
  'reopen and punch a hole': 'EACCES',
  'reopen O_TRUNC': 'EACCES',
  'fchmod writable': 'ok',
}
const REOPENING_AS_OTHER = { ...REOPENING_AS_OWNER, 'fchmod writable': 'EPERM' }

const ATTACKERS = [
  { who: 'the same uid', attackerUid: uid, reopening: uid === 0 ? REOPENING_AS_ROOT : REOPENING_AS_OWNER },
  ...(uid === 0 ? [{ who: 'another uid', attackerUid: NOBODY, reopening: REOPENING_AS_OTHER }] : []),
]

for (const { who, attackerUid, reopening } of ATTACKERS) {
  for (const descriptor of ['read-write', 'fresh read-only']) {
    const isReadOnly = descriptor === 'fresh read-only'
    t.test(`${who} with the ${descriptor} descriptor can only read`, async (t) => {
      using memfd = sizedMemfd(PAGE)
      using mapping = sealedMapping(memfd)
      using handedOut = isReadOnly ? reopen(memfd, O_RDONLY) : null
      const stdio = ['ignore', 'pipe', 'pipe', (handedOut ?? memfd).fd] as const
      const { output, errors } = runFixture('attack-region', [String(attackerUid)], [...stdio])
      t.equal(errors, '')
      t.same(JSON.parse(output), {
        ...(isReadOnly ? REFUSED_OF_READ_ONLY : REFUSED_OF_READ_WRITE),
        ...reopening,
        ...ALLOWED,
      })
      t.equal(mapping.readInt32BE(0), 42, 'the value stands')
      mapping.writeInt32BE(0, 43)
      t.equal(mapping.readInt32BE(0), 43, 'the owner goes on writing')
    })
  }
}

function sealedMapping(memfd: OwnedFd): Mapping {
  const mapping = Mapping.map(memfd, PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
  mapping.writeInt32BE(0, 42)
  addSeals(memfd, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
  fchmod(memfd, 0o400)
  return mapping
}
