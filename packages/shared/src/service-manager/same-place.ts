/** Whether two paths lead to one place: the same file, met by the same mount. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { errorCode } from '../util/errors.ts'

/** Looks without opening: it needs no right to read, and nothing that is there notices. open(2) */
const O_PATH = 0o10000000

/**
 * Whether both lead to one place, or nowhere for the same reason. Not the number of the file alone: a mount namespace of
 * another process has the same folders, and other things mounted in them.
 */
export function isSamePlace(one: string, other: string): boolean {
  return placeOf(one) === placeOf(other)
}

/** Device, file and mount, or why there is none. */
function placeOf(path: string): string {
  let fd: number
  try {
    fd = openSync(path, O_PATH)
  } catch (error) {
    return `${errorCode(error)}`
  }
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return `${dev} ${ino} ${mountOf(fd)}`
  } finally {
    closeSync(fd)
  }
}

/** The id of its mount, proc_pid_fdinfo(5). Without /proc it is not known, but then no link needs it. */
function mountOf(fd: number): string {
  try {
    return /^mnt_id:.*$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[0] ?? ''
  } catch {
    return ''
  }
}
