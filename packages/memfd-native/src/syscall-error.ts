import process from 'node:process'
import { errnos } from './errnos.ts'

/**
 * A failed system call, with the fields of Node's own: `code` is the name of the errno (`EPERM`), `errno` is its
 * negative number, and `syscall` is the name of the call.
 */
export class SyscallError extends Error {
  readonly code: string
  /** The number of the errno, negative as in Node. */
  readonly errno: number
  /** The name of the call; its man page explains the errno. */
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

/** Errnos without a name in libuv, and so in Node. */
let otherNames: Map<number, string> | undefined

/** libuv's name first, so that a code is spelt as in Node's own errors (95 is ENOTSUP). */
function errnoName(errno: number): string {
  // Loaded when something fails: a program that starts, reads a value and ends would feel it.
  const { getSystemErrorMap } = process.getBuiltinModule('node:util')
  return getSystemErrorMap().get(errno)?.[0] ?? otherName(-errno) ?? `E${-errno}`
}

function otherName(errno: number): string | undefined {
  otherNames ??= new Map([
    ...Object.entries(process.getBuiltinModule('node:os').constants.errno).map(([name, number]): [number, string] => [
      number,
      name,
    ]),
    [-errnos.ETOOMANYREFS, 'ETOOMANYREFS'],
    [-errnos.EXFULL, 'EXFULL'],
  ])
  return otherNames.get(errno)
}
