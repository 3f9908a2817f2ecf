/**
 * Another process holds a descriptor of a region that is sealed for readers, and tries everything to change it. The
 * tables are the kernel's, measured on Linux 6.18: what changes nothing may well succeed.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { OTHER_UID } from './programs.ts'

/** As text: a stranger may not be able to read this directory. */
const PROGRAM = readFileSync(new URL('../../test-support/fixtures/hostile-holder.py', import.meta.url), 'utf8')

/** What each attempt ends in: an errno's name, or ok. */
export type Report = Record<string, string>

/** By the descriptor that the holder has: [opened anew for reading only, a read-write dup of the owner's]. */
const ATTEMPTS: Record<string, [readOnly: string, dup: string]> = {
  write: ['EBADF', 'EPERM'],
  pwrite: ['EBADF', 'EPERM'],
  'ftruncate to nothing': ['EINVAL', 'EPERM'],
  'ftruncate to more': ['EINVAL', 'EPERM'],
  'fallocate more': ['EBADF', 'EPERM'],
  'punch a hole': ['EBADF', 'EPERM'],
  'zero a range': ['EBADF', 'ENOTSUP'],
  sendfile: ['EBADF', 'EPERM'],
  splice: ['EBADF', 'EPERM'],
  copy_file_range: ['EBADF', 'EPERM'],
  'map for writing': ['EACCES', 'EPERM'],
  'map for nothing but writing': ['EACCES', 'EPERM'],
  'mprotect to writable': ['EACCES', 'EACCES'],
  'madvise REMOVE': ['EACCES', 'EACCES'],
  'madvise FREE': ['EINVAL', 'EINVAL'],
  'madvise DONTNEED': ['ok', 'ok'],
  'madvise POPULATE_WRITE': ['EINVAL', 'EINVAL'],
  'read into the mapping': ['EFAULT', 'EFAULT'],
  'write to /proc/self/mem': ['EIO', 'EIO'],
  process_vm_writev: ['EFAULT', 'EFAULT'],
  'change a private copy': ['ok', 'ok'],
  'lock for writing': ['EBADF', 'ok'],
  'add a seal': ['EPERM', 'EPERM'],
  'lift the seals': ['EPERM', 'EPERM'],
  'make it executable': ['EPERM', 'EPERM'],
  seek: ['ok', 'ok'],
}

/** What depends on who the holder is; the mode of the region is 0400. */
const BY_ROOT: Report = {
  'open for writing': 'ok',
  fchmod: 'ok',
  'fchmod, open and write': 'EPERM',
  'fchmod, open and map': 'EPERM',
  'fchmod, open and punch a hole': 'EPERM',
  'fchmod, open and cut': 'EPERM',
  'fchmod, open with O_TRUNC': 'EPERM',
}
const BY_OWNER: Report = { ...BY_ROOT, 'open for writing': 'EACCES' }
const BY_STRANGER: Report = Object.fromEntries(
  Object.keys(BY_ROOT).map((name) => [name, name === 'fchmod' ? 'EPERM' : 'EACCES']),
)

export interface Holder {
  readonly title: string
  /** undefined: as the test. */
  readonly uid: number | undefined
  readonly ownRights: Report
}

/** The owner of a region whose owner is OTHER_UID. */
export const OTHER_OWNER: Holder = { title: 'the owner, who is not root,', uid: OTHER_UID, ownRights: BY_OWNER }

/** Those that can hold a region of this process': the owner himself where that is not root. */
export const HOLDERS: readonly Holder[] =
  process.getuid?.() === 0
    ? [
        { title: 'root', uid: 0, ownRights: BY_ROOT },
        { title: 'a stranger', uid: OTHER_UID, ownRights: BY_STRANGER },
      ]
    : [{ title: 'the owner', uid: undefined, ownRights: BY_OWNER }]

/** What a holder must be told by the kernel, with which kind of descriptor. */
export function expectedReport(holder: Holder, kind: 'read-only' | 'dup'): Report {
  const column = kind === 'read-only' ? 0 : 1
  const attempts = Object.entries(ATTEMPTS).map(([name, outcomes]) => [name, outcomes[column]])
  return { ...Object.fromEntries(attempts), ...holder.ownRights }
}

/** Has the holder attack this descriptor, which stays the caller's, and read the region in the end. */
export function attack(fd: number, { uid }: Holder): { report: Report; contents: string } {
  const { stdout, stderr, status } = spawnSync('/usr/bin/env', ['python3', '-c', PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe', fd],
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    encoding: 'utf8',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  if (status !== 0) throw new Error(`the holder failed: ${stderr}`)
  return JSON.parse(stdout)
}
