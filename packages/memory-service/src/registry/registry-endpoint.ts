/** The endpoint of a host: whether its path still leads to it, and what to do if not. */
import { IllegalStateError } from '@memsvc/shared'
import type { OwnedFd } from 'memfd-native'

export interface RegistryEndpoint {
  /** Whether the path leads to the host's listener, and to its lock where it has one. @throws errors of stat(2) */
  readonly isInPlace: boolean
  /**
   * Repairs a path that leads elsewhere, if possible.
   * @returns a new listener, which the caller owns and uses instead of the old one; null to keep the old one
   * @throws PathTakenError if another process has the path for good; other errors say what is in the way for now
   */
  restore(): OwnedFd | null
  /** Removes the socket where it is the host's own. While its listener is open, so that it cannot be mistaken. */
  removeSocket(): void
  /** Gives up what it holds. Idempotent. */
  close(): void
}

/** Another process has the path, so the host here must end. */
export class PathTakenError extends IllegalStateError {}
