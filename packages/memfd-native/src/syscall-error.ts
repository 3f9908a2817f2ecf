import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/**
 * A failed system call, shaped like Node's own: `code` is the errno's name (`EPERM`), `errno` is negative
 * as in Node, `syscall` the name of the call.
 */
export class SyscallError extends Error {
  readonly code: string
  /** Negative, as in Node. */
  readonly errno: number
  /** Of the manual page that explains the errno. */
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

/** What libuv has no name for, and so Node neither. */
const OTHER_NAMES = new Map<number, string>([
  ...Object.entries(constants.errno).map(([name, errno]): [number, string] => [errno, name]),
  [109, 'ETOOMANYREFS'],
])

/** libuv's name first, so that a code is spelt as in Node's own errors (95 is ENOTSUP). */
function errnoName(errno: number): string {
  return getSystemErrorMap().get(errno)?.[0] ?? OTHER_NAMES.get(-errno) ?? `E${-errno}`
}
