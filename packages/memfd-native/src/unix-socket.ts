/**
 * Unix sockets that carry descriptors. Every socket is non-blocking and CLOEXEC: what would have to wait is the
 * SyscallError EAGAIN (`FdWatcher` says when to try again). Every function borrows the descriptors that it is given.
 */
import { Buffer } from 'node:buffer'
import { checkList, checkNumber } from './argument.ts'
import { type Credentials, native, unwrap } from './binding.ts'
import { errnos } from './errnos.ts'
import { type Fd, fdNumber, type OwnedFd, ownPair, ownResult } from './owned-fd.ts'
import { SyscallError } from './syscall-error.ts'

export type { Credentials } from './binding.ts'

/** Descriptors in one message: the kernel's SCM_MAX_FD. */
export const MAX_FDS = 253
/** sun_path without its NUL. */
const MAX_PATH_BYTES = 107

/** One message as it came. */
export interface Message {
  /** Its bytes; 0 of them at the end of the connection (or for an empty packet, which looks the same). */
  data: Buffer
  /** Belong to the caller, who closes each. */
  fds: OwnedFd[]
  /** `constants.MSG_*`: MSG_TRUNC when bytes were cut off, MSG_CTRUNC when descriptors were lost. */
  flags: number
  /** Who sent it, from the kernel; null unless setPassCredentials() is on. */
  credentials: Credentials | null
  /**
   * The address of the socket that sent it, as `bind` took it there: a leading NUL means the abstract namespace. '' where that has none.
   * A datagram is answered by `sendmsg(fd, data, [], 0, address)`.
   */
  address: string
}

/** Two connected sockets of `constants.SOCK_SEQPACKET`, SOCK_STREAM or SOCK_DGRAM. socketpair(2) */
export function socketpair(type: number): [OwnedFd, OwnedFd] {
  return ownPair('socketpair', native.socketpair(type))
}

/** An unconnected socket. socket(2) */
export function socket(type: number): OwnedFd {
  return ownResult('socket', native.socket(type))
}

/**
 * Makes a socket file at `path`; a leading NUL means the abstract namespace. The file gets the mode that fchmod() gave
 * the socket before, less the umask if there was none. bind(2)
 *
 * @throws SyscallError ENAMETOOLONG when the path is longer than 107 bytes, EADDRINUSE when anything is there already
 */
export function bind(fd: Fd, path: string): void {
  checkPathLength('bind', path)
  unwrap('bind', native.bind(fdNumber(fd), path), path)
}

/** Lets up to `backlog` connections wait to be accepted; the next connect() gets EAGAIN. listen(2) */
export function listen(fd: Fd, backlog = 4096): void {
  unwrap('listen', native.listen(fdNumber(fd), backlog))
}

/**
 * The next connection, or null when none is waiting. It has the listener's setPassCredentials() and setPassRights().
 * With no descriptor free (EMFILE) the connection goes on waiting and the listener stays readable. accept(2)
 */
export function accept(fd: Fd): OwnedFd | null {
  const result = native.accept(fdNumber(fd))
  return result === errnos.EAGAIN ? null : ownResult('accept4', result)
}

/**
 * Connects to a path, at once or not at all. connect(2)
 *
 * @throws SyscallError ENOENT: no such file; ECONNREFUSED: nobody listens there; EAGAIN: its backlog is full;
 * EACCES: no write permission; EPROTOTYPE: a socket of another type; ENAMETOOLONG as bind()
 */
export function connect(fd: Fd, path: string): void {
  checkPathLength('connect', path)
  unwrap('connect', native.connect(fdNumber(fd), path), path)
}

/**
 * Sends one message and answers the bytes taken (all of them, but on a stream). The kernel takes references of its own
 * to the descriptors: they stay the caller's. Never SIGPIPE. sendmsg(2)
 *
 * @param to of a datagram socket that is not connected: the path of the receiver, as `connect` takes it
 * @throws SyscallError EINVAL for more than 253 descriptors, or descriptors with 0 bytes; EAGAIN when the receiver's
 * queue is full; EMSGSIZE; EPIPE, ECONNRESET when the peer is gone; EPERM when the peer accepts no descriptors;
 * ETOOMANYREFS when too many descriptors of this uid are under way; of `to` as connect()
 */
export function sendmsg(fd: Fd, data: Uint8Array, fds: readonly Fd[] = [], flags = 0, to = ''): number {
  checkList('fds', fds)
  // Before they are looked at: a list may have any length.
  if (fds.length > MAX_FDS)
    throw new SyscallError('sendmsg', errnos.EINVAL, `a message takes at most ${MAX_FDS} descriptors`)
  if (to !== '') checkPathLength('sendmsg', to)
  return unwrap('sendmsg', native.sendmsg(fdNumber(fd), fds.map(fdNumber), data, flags, to))
}

/**
 * Receives one message of up to `size` bytes and `maxFds` descriptors (0..253). recvmsg(2)
 *
 * @throws SyscallError EAGAIN when none is there; ECONNRESET when the peer left messages unread
 */
export function recvmsg(fd: Fd, size: number, maxFds = MAX_FDS, flags = 0): Message {
  checkNumber('size', size)
  const data = Buffer.allocUnsafe(size)
  const message = unwrap('recvmsg', native.recvmsg(fdNumber(fd), data, maxFds, flags))
  return {
    data: data.subarray(0, message.size),
    fds: message.fds.map((number) => ownResult('recvmsg', number)),
    flags: message.flags,
    credentials: message.credentials,
    address: message.address,
  }
}

/** Who connected, or made the pair, as it was then: a later setuid() does not show. SO_PEERCRED, unix(7) */
export function getPeerCredentials(fd: Fd): Credentials {
  unwrap('getsockopt', native.peerCredentials(fdNumber(fd), peer))
  return { pid: peer[0] as number, uid: peer[1] as number, gid: peer[2] as number }
}

/** What the last getPeerCredentials was told. */
const peer = new Float64Array(3)

/** A pidfd of the peer, which is its own even when the pid is used again. Null before Linux 6.5. SO_PEERPIDFD */
export function getPeerPidfd(fd: Fd): OwnedFd | null {
  const result = native.peerPidfd(fdNumber(fd))
  return result === errnos.ENOPROTOOPT ? null : ownResult('getsockopt', result)
}

/** The peer's supplementary groups, as they were at connect(). SO_PEERGROUPS */
export function getPeerGroups(fd: Fd): number[] {
  return unwrap('getsockopt', native.peerGroups(fdNumber(fd)))
}

/**
 * An option of a socket of any family that is an int: `constants.SO_TYPE`, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN (1: it listens),
 * SO_SNDBUF, SO_RCVBUF (bytes as the kernel counts them: twice what was set), SO_PASSCRED, SO_ERROR (an errno, which this clears).
 * getsockopt(2), SOL_SOCKET
 */
export function getSocketOption(fd: Fd, option: number): number {
  return unwrap('getsockopt', native.socketOption(fdNumber(fd), option)) | 0
}

/**
 * Sets an option that is an int: `constants.SO_SNDBUF`, SO_RCVBUF (bytes of data: the kernel doubles them, within
 * net.core.wmem_max and rmem_max; SO_SNDBUFFORCE and SO_RCVBUFFORCE go beyond, for root), SO_PASSCRED (0 or 1). setsockopt(2), SOL_SOCKET
 *
 * @throws SyscallError ENOPROTOOPT an option that cannot be set; EPERM; EINVAL
 */
export function setSocketOption(fd: Fd, option: number, value: number): void {
  unwrap('setsockopt', native.setSocketOption(fdNumber(fd), option, value))
}

/**
 * The path that a socket was bound to, as it was given then: the file may have moved. A leading NUL: a name of the abstract
 * namespace. '' when it has none. An accepted socket has its listener's. getsockname(2)
 *
 * @throws SyscallError EAFNOSUPPORT of another family than AF_UNIX
 */
export function getSocketName(fd: Fd): string {
  return unwrap('getsockname', native.socketName(fdNumber(fd)))
}

/** Makes every received message carry its sender's credentials. SO_PASSCRED, unix(7) */
export function setPassCredentials(fd: Fd, on: boolean): void {
  unwrap('setsockopt', native.setPassCredentials(fdNumber(fd), on))
}

/** Off: whoever sends a descriptor here gets EPERM. False before Linux 6.16, which cannot refuse. SO_PASSRIGHTS */
export function setPassRights(fd: Fd, on: boolean): boolean {
  const result = native.setPassRights(fdNumber(fd), on)
  if (result === errnos.ENOPROTOOPT) return false
  unwrap('setsockopt', result)
  return true
}

/** This side sends no more: the peer reads to the end, and may go on sending. */
export const SHUT_WR = 1

/** Both directions: the peer still reads what it was sent, and then the end. */
export const SHUT_RDWR = 2

/** Ends a connection in one direction or both; the descriptor stays open and the caller's. shutdown(2) */
export function shutdown(fd: Fd, how: number): void {
  unwrap('shutdown', native.shutdown(fdNumber(fd), how))
}

/**
 * What the peer has not read of all that was sent to it, in bytes of the kernel's memory, which are more than were sent;
 * 0 when it has read everything, or is gone. SIOCOUTQ, unix(7)
 */
export function unreadBytes(fd: Fd): number {
  return unwrap('ioctl', native.unreadBytes(fdNumber(fd)))
}

function checkPathLength(syscall: string, path: string): void {
  const length = typeof path === 'string' ? Buffer.byteLength(path) : 0
  if (length > MAX_PATH_BYTES) {
    throw new SyscallError(
      syscall,
      errnos.ENAMETOOLONG,
      `a path must have at most ${MAX_PATH_BYTES} bytes, this one has ${length}: ${path}`,
    )
  }
}
