/** What concerns the whole process, and what two of them share. prctl(2), getrlimit(2), kcmp(2), clock_gettime(2) */
import { checkObject } from './argument.ts'
import { native, unwrap } from './binding.ts'

/** A resource limit, in the resource's own unit; Infinity where there is none. */
export interface ResourceLimit {
  /** What holds now. */
  soft: number
  /** How far the process itself may raise the soft one. */
  hard: number
}

/**
 * Off: other processes of the same uid can neither trace this one nor write to its memory, nor open its /proc/PID/fd.
 * PR_SET_DUMPABLE
 */
export function setDumpable(on: boolean): void {
  unwrap('prctl', native.setDumpable(on))
}

/** PR_GET_DUMPABLE */
export function isDumpable(): boolean {
  return unwrap('prctl', native.getDumpable()) === 1
}

/** @param resource `constants.RLIMIT_*`. getrlimit(2) */
export function getrlimit(resource: number): ResourceLimit {
  const [soft, hard] = unwrap('getrlimit', native.getLimit(resource))
  return { soft: fromRlim(soft), hard: fromRlim(hard) }
}

/**
 * For this process and the children it starts from now on. setrlimit(2)
 *
 * @throws SyscallError EINVAL: soft is above hard; EPERM: hard is above what it was
 */
export function setrlimit(resource: number, limit: ResourceLimit): void {
  checkObject('limit', limit)
  const { soft, hard } = limit
  unwrap('setrlimit', native.setLimit(resource, toRlim(soft), toRlim(hard)))
}

/** One of the two things that kcmp(2) compares. */
export interface KcmpSide {
  /** Whose it is. */
  pid: number
  /** Which one of that process: of KCMP_FILE the descriptor's number. */
  index: number
}

/**
 * Compares what two processes have in the kernel; of `constants.KCMP_FILE` the open files behind two descriptors. kcmp(2)
 *
 * @returns 0: they are the same; 1, 2: `a` comes before or after `b` in an order that lasts; 3: they differ
 * @throws SyscallError EPERM this process may not look into one of them (ptrace(2)); ESRCH, EBADF there is none; ENOSYS, EINVAL this
 *   kernel cannot
 */
export function kcmp(type: number, a: KcmpSide, b: KcmpSide): number {
  checkObject('a', a)
  checkObject('b', b)
  return unwrap('kcmp', native.kcmp(a.pid, b.pid, type, a.index, b.index))
}

/**
 * Milliseconds since the machine began, with fractions: CLOCK_BOOTTIME. The same for all processes of the machine; it goes on while the
 * machine sleeps, and nobody sets it. clock_gettime(2)
 */
export function bootTime(): number {
  return unwrap('clock_gettime', native.bootTime()) / 1e6
}

/** RLIM_INFINITY is the largest rlim_t: -1, seen as a signed number. */
function fromRlim(limit: number): number {
  return limit < 0 ? Number.POSITIVE_INFINITY : limit
}

function toRlim(limit: number): number {
  return limit === Number.POSITIVE_INFINITY ? -1 : limit
}
