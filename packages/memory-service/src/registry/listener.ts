/**
 * The registry's socket in the file system: who may make it, where, and with which mode.
 *
 * The one who holds the lock file's lock for life may bind. Probing a socket, unlinking it and binding anew is a race
 * that two starters can both win; a lock is not, and it goes with the process, however that ends. So a stale socket is
 * simply one whose lock is free.
 */
import {
  chmodSync,
  constants as fs,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, IllegalStateError } from '@memsvc/shared'
import { bind, connect, constants, fchmod, fstat, listen, lockFile, OwnedFd, socket } from '@memsvc/shared/internal'
import { DAEMON_LIMITS } from '../limits.ts'

const PRIVATE_SOCKET = 0o600
const PRIVATE_DIRECTORY = 0o700
const OTHERS_MAY_WRITE = 0o022
const STICKY = 0o1000

/** The right to host the registry at a path, for as long as it is open. */
export class HostLock {
  readonly #path: string
  readonly #lock: OwnedFd
  #inode = 0

  private constructor(path: string, lock: OwnedFd) {
    this.#path = path
    this.#lock = lock
  }

  /**
   * Takes the lock, and makes the socket's directory if there is none (0700).
   * @returns null while another process has it, or hosts the registry without one
   * @throws ERR_ILLEGAL_STATE a directory that others may write to, or another program's socket; errors of mkdir(2)
   *   and open(2)
   */
  static tryTake(socketPath: string): HostLock | null {
    prepareDirectory(dirname(socketPath))
    const flags = fs.O_RDWR | fs.O_CREAT | fs.O_NOFOLLOW | fs.O_NONBLOCK
    using lock = ownFile(openSync(`${socketPath}.lock`, flags, PRIVATE_SOCKET))
    if (!lockFile(lock) || isServed(socketPath)) return null
    ftruncateSync(lock.fd)
    writeSync(lock.fd, `${process.pid}\n`, 0) // for people; nothing reads it
    return new HostLock(socketPath, OwnedFd.adopt(lock.release()))
  }

  /**
   * Binds and listens, in place of a socket that a dead process left.
   * @param mode of the socket; until it is set nobody can connect
   * @returns the listener, owned by the caller
   * @throws ERR_ILLEGAL_STATE something else than a socket is at the path; errors of bind(2)
   */
  listen(mode: number): OwnedFd {
    using listener = socket(constants.SOCK_SEQPACKET)
    removeStale(this.#path)
    // The mode of the socket's inode becomes the file's, so it is private from its first instant, even with umask 0.
    fchmod(listener, PRIVATE_SOCKET)
    bind(listener, this.#path)
    this.#inode = lstatSync(this.#path).ino
    chmodSync(this.#path, mode) // bind(2) took the umask off; nobody can connect before listen(2)
    listen(listener, DAEMON_LIMITS.backlog.limit)
    return OwnedFd.adopt(listener.release())
  }

  /** Removes the socket, if it is still this one, and then gives the lock back. The lock file stays. Idempotent. */
  close(): void {
    if (this.#lock.isClosed) return
    if (this.#inode !== 0 && inodeAt(this.#path) === this.#inode) unlinkSync(this.#path)
    this.#lock.close()
  }
}

/** A directory of ours is private; one that exists is used as it is, unless strangers could replace the socket in it. */
function prepareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY })
  checkDirectory(directory)
}

/** @throws ERR_ILLEGAL_STATE others may write to it, and so replace a socket in it */
export function checkDirectory(directory: string): void {
  const { mode } = statSync(directory)
  if ((mode & OTHERS_MAY_WRITE) !== 0 && (mode & STICKY) === 0) {
    throw new IllegalStateError(
      `${directory} can be written to by others (mode ${(mode & 0o7777).toString(8)}): anybody could replace the socket in it`,
    )
  }
}

function ownFile(fd: number): OwnedFd {
  const owned = OwnedFd.adopt(fd)
  if ((fstat(owned).mode & fs.S_IFMT) === fs.S_IFREG) return owned
  owned.close()
  throw new IllegalStateError('the lock file is no regular file')
}

/**
 * Whether somebody accepts connections there. A host with a lock of its own is not asked; one whose listener systemd
 * holds, or whose lock file somebody has removed, is.
 */
function isServed(path: string): boolean {
  using probe = socket(constants.SOCK_SEQPACKET)
  try {
    connect(probe, path)
    return true
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'EPROTOTYPE') throw new IllegalStateError(`${path} is another program's socket: it is left alone`)
    // Nobody there: ENOENT, or ECONNREFUSED of a stale socket and of anything that is no socket.
    return !['ENOENT', 'ECONNREFUSED'].includes(code)
  }
}

function removeStale(path: string): void {
  try {
    if (!lstatSync(path).isSocket()) throw new IllegalStateError(`${path} exists and is no socket: it is left alone`)
    unlinkSync(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

function inodeAt(path: string): number {
  try {
    return lstatSync(path).ino
  } catch {
    return 0
  }
}
