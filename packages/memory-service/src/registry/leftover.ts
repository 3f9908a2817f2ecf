/** The words for what another user has left where the registry is to be: which file, whose, and what to do. */
import { dirname } from 'node:path'
import { errorCode, SecurityError } from '@memsvc/shared'
import { fileAt, fileBehind } from '../process/same-file.ts'

const REFUSALS = ['EACCES', 'EPERM']

/** A better error, if the cause is EACCES or EPERM because `path` or its folder belongs to another user. */
export function explainRefusal(path: string, cause: unknown): unknown {
  if (!REFUSALS.includes(errorCode(cause) ?? '')) return cause
  const found = ownerOf(path, fileAt) ?? ownerOf(dirname(path), fileBehind)
  return found === null ? cause : new SecurityError(leftoverOf(found), { cause })
}

/**
 * The message about a socket to which this user may not connect. It may be in use or left over; this user cannot see
 * which.
 */
export function explainClosedSocket(path: string, cause: unknown): unknown {
  const found = ownerOf(path, fileBehind)
  if (found === null) return explainRefusal(path, cause)
  return new SecurityError(
    `${path} belongs to ${describeUser(found.uid)} and is closed to uid ${process.getuid?.()}: if a registry serves ` +
      `there, its --socket-mode keeps you out; if not, ask ${describeUser(found.uid)} to remove it (rm ${path})`,
    { cause },
  )
}

function leftoverOf({ path, uid }: Owned): string {
  return (
    `${path} belongs to ${describeUser(uid)}, not to uid ${process.getuid?.()}, which starts this daemon: if no registry uses it any more, ` +
    `ask ${describeUser(uid)} to remove it (rm -r ${path}); otherwise choose another --registry`
  )
}

interface Owned {
  readonly path: string
  readonly uid: number
}

function ownerOf(path: string, look: typeof fileAt): Owned | null {
  try {
    const uid = look(path)?.uid ?? null
    return uid === null || uid === process.getuid?.() ? null : { path, uid }
  } catch {
    return null // not even that may be seen
  }
}

function describeUser(uid: number): string {
  return uid === 0 ? 'root' : `uid ${uid}`
}
