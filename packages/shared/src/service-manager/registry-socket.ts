/** How a client connects to the registry: it checks the path, connects, and then checks who is at the other end. */

import { connect, constants, fileIdentity, getPeerCredentials, type OwnedFd, socket } from 'memfd-native'
import type { Caller } from '../binder/calling-identity.ts'
import { SecurityError } from '../util/errors.ts'
import { now as clock } from '../util/timers.ts'
import { checkPathTrust } from './path-trust.ts'
import type { RegistryPlace } from './registry-path.ts'
import { whyUnreachable } from './why-unreachable.ts'

/** A connection, and who is at its other end by the kernel's word. */
export interface RegistrySocket {
  readonly fd: OwnedFd
  readonly registry: Caller
}

/**
 * A connection to the registry of a place. Nothing has been said yet. The caller owns it.
 * @throws ERR_REGISTRY_UNAVAILABLE nobody listens there, or no registry; ERR_SECURITY the path is closed to this user, can
 *   be changed by others, or leads to a registry of somebody who is not trusted; EAGAIN its backlog is full
 */
export function connectRegistry(place: RegistryPlace): RegistrySocket {
  try {
    return openRegistry(place)
  } catch (error) {
    throw whyUnreachable(place, error)
  }
}

/** The same, for who does not say why it failed. @throws ERR_SECURITY; errors of connect(2) */
export function openRegistry(place: RegistryPlace): RegistrySocket {
  checkWay(place)
  const fd = socket(constants.SOCK_SEQPACKET)
  try {
    connect(fd, place.path)
    return { fd, registry: checkedRegistry(fd, place) }
  } catch (error) {
    fd.close()
    throw error
  }
}

/** How long a way that was found trusted is not looked at again, while it leads to the same socket. Milliseconds. */
const WAY_LASTS_MS = 1000
/** The last one, by path and trusted users: the socket that it leads to, and until when, by `now()`. */
let trustedWay: { readonly way: string; readonly socket: string; readonly until: number } | null = null

/**
 * A look at a way takes longer than the rest of a connection. That it leads to the same socket is asked each time: in a
 * sticky folder a stranger can put a link where a trusted socket was removed. So is who is at its end.
 */
function checkWay({ path, trusted }: RegistryPlace): void {
  const way = `${trusted.key} ${path}`
  const now = clock()
  const socket = fileIdentity(path) // null: connect(2) will say why
  const known = trustedWay
  if (known !== null && known.way === way && known.until > now && known.socket === socket) return
  checkPathTrust(`the registry at ${path}`, path, trusted)
  if (socket === null || !path.startsWith('/')) return // a relative path may begin elsewhere next time
  trustedWay = { way, socket, until: now + WAY_LASTS_MS }
}

/**
 * Asks the kernel who listens at the other end (SO_PEERCRED: who called listen(2), which for systemd's sockets is systemd).
 * @param fd connected @throws ERR_SECURITY somebody who is not trusted
 */
function checkedRegistry(fd: OwnedFd, { path, trusted }: RegistryPlace): Caller {
  const { uid, pid } = getPeerCredentials(fd)
  if (trusted.has(uid)) return { pid, uid }
  throw new SecurityError(`the registry at ${path} is run by uid ${uid} (pid ${pid}): ${trusted.because(uid)}`)
}
