/** For files of tests that start many programs: nothing in them is about time, and a loaded machine is slow. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import type { Test } from 'tap'

const FILE_MS = 1_500_000

/** Leaks are looked for, and what hangs is ended, later than elsewhere. */
export function patient(t: Test): void {
  t.setTimeout(FILE_MS)
  watchdog(t, FILE_MS)
  leakChecked(t)
}
