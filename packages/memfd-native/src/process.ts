/** What concerns the whole process, and what two of them share. prctl(2), getrlimit(2), kcmp(2), clock_gettime(2) */
import { checkObject } from './argument.ts'
import { native, unwrap } from './binding.ts'

/** A resource limit, in the unit of the resource; Infinity if there is no limit. */
export interface ResourceLimit {
  /** The limit that applies now. */
  soft: number
  /** How far the process itself may raise the soft one. */
  hard: number
}

/**
 * With false, other processes of the same user cannot trace this one, write to its memory, or open its /proc/PID/fd.
 * PR_SET_DUMPABLE, prctl(2)
 */
export function setDumpable(on: boolean): void {
  unwrap('prctl', native.setDumpable(on))
}

/** Whether other processes of the same user may trace this one: see {@link setDumpable}. PR_GET_DUMPABLE, prctl(2) */
export function isDumpable(): boolean {
  return unwrap('prctl', native.getDumpable()) === 1
}

/** The limit of a resource for this process. getrlimit(2) @param resource `constants.RLIMIT_*` */
export function getrlimit(resource: number): ResourceLimit {
  const [soft, hard] = unwrap('getrlimit', native.getLimit(resource))
  return { soft: fromRlim(soft), hard: fromRlim(hard) }
}

/**
 * Sets a resource limit for this process and the children that it starts from now on. setrlimit(2)
 * @throws SyscallError EINVAL if soft is above hard; EPERM if hard is above the old hard limit
 */
export function setrlimit(resource: number, limit: ResourceLimit): void {
  checkObject('limit', limit)
  const { soft, hard } = limit
  unwrap('setrlimit', native.setLimit(resource, toRlim(soft), toRlim(hard)))
}

/** One of the two things that kcmp(2) compares. */
export interface KcmpSide {
  /** The process. */
  pid: number
  /** Which object of the process: for KCMP_FILE, the descriptor number. */
  index: number
}

/**
 * Compares kernel objects of two processes; with `constants.KCMP_FILE` the open files behind two descriptors. kcmp(2)
 * @returns 0 if they are the same; 1 or 2 if `a` comes before or after `b` in a fixed order; 3 if they differ
 * @throws SyscallError EPERM if this process may not look into one of them (ptrace(2)); ESRCH or EBADF if there is
 *   none; ENOSYS or EINVAL if this kernel cannot do it
 */
export function kcmp(type: number, a: KcmpSide, b: KcmpSide): number {
  checkObject('a', a)
  checkObject('b', b)
  return unwrap('kcmp', native.kcmp(a.pid, b.pid, type, a.index, b.index))
}

/**
 * Milliseconds since the machine started, with fractions: CLOCK_BOOTTIME. It is the same for all processes, continues
 * while the machine sleeps, and cannot be set. clock_gettime(2)
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
