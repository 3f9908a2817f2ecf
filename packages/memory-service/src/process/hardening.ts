/** Restricts the daemon's own process, before anything else. */
import { setDumpable } from 'memfd-native'

export function hardenProcess(): void {
  // Same-uid processes can no longer attach, open /proc/PID/mem or take descriptors (ptrace(2), pidfd_getfd(2)).
  setDumpable(false)
  // Node opens its inspector on SIGUSR1 unless somebody listens; --disable-sigusr1 exists only from Node 22.14 on.
  process.on('SIGUSR1', () => undefined)
  // A terminal that goes away does not take the service with it; nor does a reload that comes too early.
  process.on('SIGHUP', () => undefined)
}
