/**
 * What systemd hands over at the start (sd_listen_fds(3)): the registry's listening socket, and the descriptors that were
 * kept in its store. Sockets come first, the rest in no order: names tell them apart.
 */
import { constants as fs } from 'node:fs'
import { fstat, OwnedFd, setNonBlocking } from '@memsvc/shared/internal'

const FIRST_FD = 3
/** FileDescriptorName= in memsvc.socket. */
const LISTENER_NAME = 'memsvc'

export interface NamedFd {
  readonly name: string
  readonly fd: OwnedFd
}

export interface InheritedDescriptors {
  /** The socket named "memsvc"; where none has that name, the first socket. null: there is none. */
  readonly listener: OwnedFd | null
  /** What is no socket. */
  readonly stored: readonly NamedFd[]
}

/**
 * Everything that was inherited, owned by the caller, CLOEXEC. The variables are removed, so no child takes them for its
 * own. More sockets than one are closed.
 */
export function takeInheritedDescriptors(env: NodeJS.ProcessEnv, pid: number): InheritedDescriptors {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env
  delete env.LISTEN_PID
  delete env.LISTEN_FDS
  delete env.LISTEN_FDNAMES
  const count = Number(LISTEN_FDS)
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1) return { listener: null, stored: [] }
  const names = LISTEN_FDNAMES?.split(':') ?? []
  const all = Array.from({ length: count }, (_, i) => ({ name: names[i] ?? '', fd: OwnedFd.adopt(FIRST_FD + i) }))
  const sockets = all.filter(({ fd }) => isSocket(fd))
  const listener = sockets.find(({ name }) => name === LISTENER_NAME) ?? sockets[0]
  for (const socket of sockets) if (socket !== listener) socket.fd.close()
  // systemd's own do not block; systemd-socket-activate's do, and accept(2) would wait for the next client.
  if (listener !== undefined) setNonBlocking(listener.fd, true)
  return { listener: listener?.fd ?? null, stored: all.filter((entry) => !sockets.includes(entry)) }
}

function isSocket(fd: OwnedFd): boolean {
  return (fstat(fd).mode & fs.S_IFMT) === fs.S_IFSOCK
}
