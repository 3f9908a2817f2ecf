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

/** One message. */
export interface Message {
  /** Its bytes. There are 0 at the end of the connection, or for an empty packet, which looks the same. */
  data: Buffer
  /** Its descriptors. You own them, and close each. */
  fds: OwnedFd[]
  /** `constants.MSG_*`: MSG_TRUNC when bytes were cut off, MSG_CTRUNC when descriptors were lost. */
  flags: number
  /** The sender, as the kernel reports it; null unless setPassCredentials() is on. */
  credentials: Credentials | null
  /**
   * The path to which the sender's socket is bound; a leading NUL means the abstract namespace. '' if it is not bound.
   * To answer a datagram, call `sendmsg(fd, data, [], 0, address)`.
   */
  address: string
}

/**
 * Two connected sockets of the type `constants.SOCK_SEQPACKET`, SOCK_STREAM or SOCK_DGRAM. You own both. socketpair(2)
 */
export function socketpair(type: number): [OwnedFd, OwnedFd] {
  return ownPair('socketpair', native.socketpair(type))
}

/** A new socket, which is not connected. You own it. socket(2) */
export function socket(type: number): OwnedFd {
  return ownResult('socket', native.socket(type))
}

/**
 * Makes a socket file at `path`; a leading NUL means the abstract namespace. The file gets the mode that fchmod() set
 * on the socket before; otherwise 0777 minus the umask. bind(2)
 * @throws SyscallError ENAMETOOLONG if the path is longer than 107 bytes; EADDRINUSE if something exists there
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
 * Accepts the next connection; null if none is waiting. You own it. It inherits setPassCredentials() and
 * setPassRights() of the listener. If no descriptor is free (EMFILE), the connection keeps waiting and the listener
 * stays readable. accept(2)
 */
export function accept(fd: Fd): OwnedFd | null {
  const result = native.accept(fdNumber(fd))
  return result === errnos.EAGAIN ? null : ownResult('accept4', result)
}

/**
 * Connects to a path. It does not wait: it succeeds or fails at once. connect(2)
 * @throws SyscallError ENOENT if there is no such file; ECONNREFUSED if nobody listens there; EAGAIN if the backlog is
 *   full; EACCES without write permission; EPROTOTYPE for a socket of another type; ENAMETOOLONG as in bind()
 */
export function connect(fd: Fd, path: string): void {
  checkPathLength('connect', path)
  unwrap('connect', native.connect(fdNumber(fd), path), path)
}

/**
 * Sends one message. The descriptors stay yours, because the kernel takes references of its own. It never raises
 * SIGPIPE. sendmsg(2)
 * @param to the path of the receiver, for a datagram socket that is not connected
 * @returns the number of bytes that were taken: all of them, except on a stream
 * @throws SyscallError EINVAL for more than 253 descriptors, or descriptors with 0 bytes; EAGAIN if the receiver's
 *   queue is full; EMSGSIZE; EPIPE or ECONNRESET if the peer is gone; EPERM if the peer accepts no descriptors;
 *   ETOOMANYREFS if too many descriptors of this user are unread; for `to` as connect()
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
 * @throws SyscallError EAGAIN if there is none; ECONNRESET if the peer closed and left messages unread
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

/**
 * The identity of the process that connected, or made the pair, at that time: a later setuid() does not change it.
 * SO_PEERCRED, unix(7)
 */
export function getPeerCredentials(fd: Fd): Credentials {
  unwrap('getsockopt', native.peerCredentials(fdNumber(fd), peer))
  return { pid: peer[0] as number, uid: peer[1] as number, gid: peer[2] as number }
}

/** What the last getPeerCredentials was told. */
const peer = new Float64Array(3)

/**
 * A pidfd of the peer, which you own. It means this process even if its pid is used again. null before Linux 6.5.
 * SO_PEERPIDFD
 */
export function getPeerPidfd(fd: Fd): OwnedFd | null {
  const result = native.peerPidfd(fdNumber(fd))
  return result === errnos.ENOPROTOOPT ? null : ownResult('getsockopt', result)
}

/** The supplementary groups of the peer at the time of connect(). SO_PEERGROUPS, unix(7) */
export function getPeerGroups(fd: Fd): number[] {
  return unwrap('getsockopt', native.peerGroups(fdNumber(fd)))
}

/**
 * Reads an option of a socket that is an int: `constants.SO_TYPE`, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN (1: it
 * listens), SO_SNDBUF, SO_RCVBUF (bytes as the kernel counts them: twice what was set), SO_PASSCRED, SO_ERROR (an
 * errno, which this clears). getsockopt(2), SOL_SOCKET
 */
export function getSocketOption(fd: Fd, option: number): number {
  return unwrap('getsockopt', native.socketOption(fdNumber(fd), option)) | 0
}

/**
 * Sets an option that is an int: `constants.SO_SNDBUF`, SO_RCVBUF (bytes of data: the kernel doubles them, within
 * net.core.wmem_max and rmem_max; SO_SNDBUFFORCE and SO_RCVBUFFORCE go beyond, for root), SO_PASSCRED (0 or 1).
 * setsockopt(2), SOL_SOCKET
 *
 * @throws SyscallError ENOPROTOOPT if the option cannot be set; EPERM; EINVAL
 */
export function setSocketOption(fd: Fd, option: number, value: number): void {
  unwrap('setsockopt', native.setSocketOption(fdNumber(fd), option, value))
}

/**
 * The path to which a socket was bound, as it was given to bind(); the file may have moved since. A leading NUL means
 * the abstract namespace. '' if it has none. An accepted socket has the path of its listener. getsockname(2)
 * @throws SyscallError EAFNOSUPPORT if the family is not AF_UNIX
 */
export function getSocketName(fd: Fd): string {
  return unwrap('getsockname', native.socketName(fdNumber(fd)))
}

/** Lets every received message carry the credentials of its sender. SO_PASSCRED, unix(7) */
export function setPassCredentials(fd: Fd, on: boolean): void {
  unwrap('setsockopt', native.setPassCredentials(fdNumber(fd), on))
}

/**
 * With false, a peer that sends a descriptor gets EPERM.
 * @returns false before Linux 6.16, which cannot refuse. SO_PASSRIGHTS
 */
export function setPassRights(fd: Fd, on: boolean): boolean {
  const result = native.setPassRights(fdNumber(fd), on)
  if (result === errnos.ENOPROTOOPT) return false
  unwrap('setsockopt', result)
  return true
}

/** Closes the sending direction: the peer reads to the end, and can still send. */
export const SHUT_WR = 1

/** Closes both directions: the peer still reads what was sent, and then the end. */
export const SHUT_RDWR = 2

/** Ends a connection in one direction or both. The descriptor stays open, and yours. shutdown(2) */
export function shutdown(fd: Fd, how: number): void {
  unwrap('shutdown', native.shutdown(fdNumber(fd), how))
}

/**
 * How much the peer has not read yet, in bytes of kernel memory, which are more than the bytes sent; 0 if it has read
 * everything, or is gone. SIOCOUTQ, unix(7)
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
