/** What the kernel can do: each feature is tried, not looked up by its version. */
import {
  addSeals,
  constants,
  fallocate,
  fchmod,
  ftruncate,
  getPeerGroups,
  getPeerPidfd,
  Mapping,
  memfdCreate,
  mmap,
  recvmsg,
  reopen,
  sendmsg,
  setPassCredentials,
  setPassRights,
  socketpair,
} from 'memfd-native'
import { type Diagnosis, type Finding, tryOut } from './finding.ts'

const TOO_OLD: Diagnosis = {
  verdict: 'problem',
  follows: 'memsvc cannot run',
  remedy: 'use Linux 5.1 or later, and a sandbox that allows memfd_create, mmap and sockets',
}
const BYTES = 4

export function examineKernel(): Finding[] {
  return [
    tryOut('memfd', makeRegion, TOO_OLD),
    tryOut('seals', sealRegion, TOO_OLD),
    tryOut('memfd without execution', makeNoExec, {
      verdict: 'warning',
      follows: 'regions have no MFD_NOEXEC_SEAL: a process that has one can make it executable',
      remedy: 'use Linux 6.3 or later',
    }),
    tryOut('reopening by /proc', reopenRegion, {
      verdict: 'problem',
      follows: 'memsvc cannot give clients a read-only descriptor',
      remedy: 'mount /proc in this container or chroot',
    }),
    tryOut('credentials', receiveCredentials, { ...TOO_OLD, follows: 'memsvc cannot tell its clients apart' }),
    tryOut('groups of a peer', peerGroups, {
      verdict: 'warning',
      follows: 'rules for a group apply only to the users that the user database lists in it',
      remedy: 'use Linux 4.13 or later',
    }),
    tryOut('refusing descriptors', refuseRights, {
      verdict: 'warning',
      follows: 'a client that sends a descriptor is disconnected; a newer kernel refuses the descriptor',
      remedy: 'use Linux 6.16 or later (SO_PASSRIGHTS)',
    }),
    tryOut('pidfd of a peer', peerPidfd, {
      verdict: 'warning',
      follows: 'a pid in the log may meanwhile belong to another process; memsvc decides nothing by it',
      remedy: 'use Linux 6.5 or later (SO_PEERPIDFD)',
    }),
  ]
}

function makeRegion(): string {
  using fd = memfdCreate('memsvc doctor', constants.MFD_ALLOW_SEALING)
  ftruncate(fd, BYTES)
  fallocate(fd, 0, 0, BYTES)
  using mapping = Mapping.map(fd, BYTES, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
  mapping.writeInt32BE(0, 1)
  return 'can be made, filled and mapped'
}

/** The owner can still write, and nobody else can start to. */
function sealRegion(): string | false {
  using fd = memfdCreate('memsvc doctor', constants.MFD_ALLOW_SEALING)
  ftruncate(fd, BYTES)
  const readWrite = mmap.PROT_READ | mmap.PROT_WRITE
  using mapping = Mapping.map(fd, BYTES, readWrite, mmap.MAP_SHARED)
  const { F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE, F_SEAL_SEAL } = constants
  addSeals(fd, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
  mapping.writeInt32BE(0, 2)
  const isTight =
    isRefused(() => Mapping.map(fd, BYTES, readWrite, mmap.MAP_SHARED).unmap()) &&
    isRefused(() => ftruncate(fd, 0)) &&
    isRefused(() => addSeals(fd, constants.F_SEAL_WRITE))
  return isTight && 'the kernel enforces them (shrink, grow, future write, seal)'
}

function makeNoExec(): string | false {
  using fd = memfdCreate('memsvc doctor', constants.MFD_NOEXEC_SEAL)
  return isRefused(() => fchmod(fd, 0o700)) && 'works (MFD_NOEXEC_SEAL)'
}

function reopenRegion(): string | false {
  using fd = memfdCreate('memsvc doctor', constants.MFD_ALLOW_SEALING)
  ftruncate(fd, BYTES)
  using own = reopen(fd, constants.O_RDONLY)
  return isRefused(() => ftruncate(own, 0)) && 'a descriptor can be made read-only'
}

function receiveCredentials(): string | false {
  const [a, b] = socketpair(constants.SOCK_SEQPACKET)
  using sender = a
  using receiver = b
  setPassCredentials(receiver, true)
  sendmsg(sender, Buffer.from('x'))
  const { credentials } = recvmsg(receiver, 1)
  const isRight = credentials?.uid === process.getuid?.() && credentials?.pid === process.pid
  return isRight && 'the kernel gives them for each socket and each message'
}

function peerGroups(): string {
  const [a, b] = socketpair(constants.SOCK_SEQPACKET)
  using end = a
  using _other = b
  return `known, ${getPeerGroups(end).length} supplementary groups here`
}

function refuseRights(): string | false {
  const [a, b] = socketpair(constants.SOCK_SEQPACKET)
  using sender = a
  using receiver = b
  if (!setPassRights(receiver, false)) return false
  return isRefused(() => sendmsg(sender, Buffer.from('x'), [sender])) && 'works (SO_PASSRIGHTS): the sender gets EPERM'
}

function peerPidfd(): string | false {
  const [a, b] = socketpair(constants.SOCK_SEQPACKET)
  using end = a
  using _other = b
  using pidfd = getPeerPidfd(end)
  return pidfd !== null && 'known (SO_PEERPIDFD)'
}

/** Whether the kernel says EPERM, EINVAL (a descriptor that cannot write) or EACCES. */
function isRefused(deed: () => void): boolean {
  try {
    deed()
    return false
  } catch {
    return true
  }
}
