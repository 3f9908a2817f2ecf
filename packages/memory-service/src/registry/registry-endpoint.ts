/** Where a host can be reached: how its path leads to it, and what can be done when it does not any more. */
import { IllegalStateError } from '@memsvc/shared'
import type { OwnedFd } from 'memfd-native'

export interface RegistryEndpoint {
  /** Whether the path leads to the host's listener, and to its lock where it has one. @throws errors of stat(2) */
  readonly isInPlace: boolean
  /**
   * Does what can be done at once about a path that leads elsewhere.
   * @returns a new listener, to be taken in place of the old one, and owned by the caller; null: that one goes on
   * @throws PathTakenError another process has the path for good; other errors: what is in the way for now
   */
  restore(): OwnedFd | null
  /** Removes the socket where it is the host's own. While its listener is open, so that it cannot be mistaken. */
  removeSocket(): void
  /** Gives up what it holds. Idempotent. */
  close(): void
}

/** The path is another process's: whoever hosted here has to end. */
export class PathTakenError extends IllegalStateError {}
