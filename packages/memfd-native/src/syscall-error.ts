import { getSystemErrorName } from 'node:util'

/**
 * A failed system call, shaped like Node's own: `code` is the errno's name (`EPERM`), `errno` is negative
 * as in Node, `syscall` the name of the call.
 */
export class SyscallError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string

  /** @param errno the errno, negative (as the addon answers it and as Node shows it). */
  constructor(syscall: string, errno: number, detail = '') {
    const code = errnoName(errno)
    super(`${syscall}: ${code}${detail === '' ? '' : `, ${detail}`}`)
    this.code = code
    this.errno = errno
    this.syscall = syscall
  }
}
Object.defineProperty(SyscallError.prototype, 'name', { value: 'SyscallError', configurable: true })

function errnoName(errno: number): string {
  try {
    return getSystemErrorName(errno)
  } catch {
    return OTHER_ERRNOS.get(-errno) ?? `E${-errno}`
  }
}

/** Errnos that libuv has no name for and that these system calls answer. */
const OTHER_ERRNOS = new Map([
  [109, 'ETOOMANYREFS'],
  [91, 'EPROTOTYPE'],
  [92, 'ENOPROTOOPT'],
  [95, 'EOPNOTSUPP'],
  [26, 'ETXTBSY'],
  [35, 'EDEADLK'],
])
