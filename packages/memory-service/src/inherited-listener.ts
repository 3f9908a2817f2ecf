/** A listening socket handed over by systemd (sd_listen_fds(3)), or by anything that speaks the same three variables. */
import { OwnedFd } from '@memsvc/shared/internal'

const FIRST_FD = 3

/**
 * The first inherited socket, owned by the caller, CLOEXEC; the variables are removed, so no child takes them for its own.
 * More sockets than one are closed. null: nothing was inherited.
 */
export function takeInheritedListener(env: NodeJS.ProcessEnv, pid: number): OwnedFd | null {
  const { LISTEN_PID, LISTEN_FDS } = env
  delete env.LISTEN_PID
  delete env.LISTEN_FDS
  delete env.LISTEN_FDNAMES
  const count = Number(LISTEN_FDS)
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1) return null
  const [listener, ...others] = Array.from({ length: count }, (_, i) => OwnedFd.adopt(FIRST_FD + i))
  for (const other of others) other.close()
  return listener ?? null
}
