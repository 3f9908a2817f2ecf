/** What concerns the whole process. prctl(2) */
import { native, unwrap } from './binding.ts'

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
