/**
 * The registry's socket in the file system: who may make it, where, and with which mode.
 *
 * The one who holds the lock file's lock for life may bind. Probing a socket, unlinking it and binding anew is a race
 * that two starters can both win; a lock is not, and it goes with the process, however that ends. So a stale socket is
 * simply one whose lock is free.
 */
import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, IllegalStateError } from '@memsvc/shared'
import { bind, connect, constants, fchmod, listen, OwnedFd, socket } from '@memsvc/shared/internal'
import { DAEMON_LIMITS } from '../limits.ts'
import type { Footing } from './footing.ts'
import { PathTakenError } from './footing.ts'
import { explainClosedSocket, explainRefusal } from './leftover.ts'
import { LockFile } from './lock-file.ts'
import { describeHolder } from './lock-holder.ts'
import { type FileIdentity, fileAt, fileBehind, isSameFile } from './same-file.ts'

const PRIVATE_SOCKET = 0o600
const PRIVATE_DIRECTORY = 0o700
const OTHERS_MAY_WRITE = 0o022
const STICKY = 0o1000
/** A starter holds the lock for a moment while it looks whether somebody serves: who has it this often goes on having it. */
const REFUSALS_TO_BELIEVE = 3

/** The right to host the registry at a path, for as long as it is open. */
export class HostLock implements Footing {
  readonly #path: string
  #lock: LockFile
  /** Its number cannot become another file's while the listener is open. */
  #socket: FileIdentity | null = null
  #mode = PRIVATE_SOCKET
  #refusals = 0

  private constructor(path: string, lock: LockFile) {
    this.#path = path
    this.#lock = lock
  }

  /**
   * Takes the lock, and makes the socket's directory if there is none (0700).
   * @returns null while another process has it, or hosts the registry without one
   * @throws ERR_ILLEGAL_STATE a directory that others may write to, or another program's socket; ERR_SECURITY another
   *   user's leftover; errors of mkdir(2) and open(2)
   */
  static tryTake(socketPath: string): HostLock | null {
    const lock = tryLock(socketPath)
    if (lock === null) return null
    try {
      if (isServed(socketPath)) {
        lock.close()
        return null
      }
      lock.sign()
      return new HostLock(socketPath, lock)
    } catch (error) {
      lock.close()
      throw error
    }
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
    this.#socket = lstatSync(this.#path)
    this.#mode = mode
    try {
      chmodSync(this.#path, mode) // bind(2) took the umask off; nobody can connect before listen(2)
      listen(listener, DAEMON_LIMITS.backlog.limit)
    } catch (error) {
      this.removeSocket()
      throw error
    }
    return OwnedFd.adopt(listener.release())
  }

  get isInPlace(): boolean {
    return this.#hasSocket && this.#lock.isInPlace
  }

  restore(): OwnedFd | null {
    prepareDirectory(dirname(this.#path))
    if (!this.#lock.isInPlace && !this.#takeBackLock()) return null
    if (this.#hasSocket) return null
    if (isServed(this.#path)) throw new PathTakenError(`another process serves ${this.#path} by now`)
    return this.listen(this.#mode)
  }

  /** Removes the socket, if it is still this one. To be called while the listener is open. */
  removeSocket(): void {
    if (isSameFile(this.#socket, tryLook(this.#path))) unlinkSync(this.#path)
    this.#socket = null
  }

  /** Removes the socket, if it is still this one, and then gives the lock back. The lock file stays. Idempotent. */
  close(): void {
    if (this.#lock.isClosed) return
    try {
      this.removeSocket()
    } finally {
      this.#lock.close()
    }
  }

  get #hasSocket(): boolean {
    return isSameFile(this.#socket, fileBehind(this.#path))
  }

  /** Takes the lock of the file that lies at the path by now. @returns false: not yet @throws PathTakenError */
  #takeBackLock(): boolean {
    const lock = LockFile.tryTake(this.#lock.path)
    if (lock === null) {
      this.#refusals += 1
      const isDecided = this.#refusals >= REFUSALS_TO_BELIEVE || (!this.#hasSocket && isServed(this.#path))
      if (isDecided)
        throw new PathTakenError(`${describeHolder(this.#lock.path)} holds the lock ${this.#lock.path} by now`)
      return false
    }
    this.#refusals = 0
    this.#lock.close()
    this.#lock = lock
    lock.sign()
    return true
  }
}

/** Of the socket at this path. */
export function lockPathOf(socketPath: string): string {
  return `${socketPath}.lock`
}

/** null: another process has it, or serves without it where this user could not even lock. @throws as HostLock.tryTake */
function tryLock(socketPath: string): LockFile | null {
  try {
    prepareDirectory(dirname(socketPath))
    return LockFile.tryTake(lockPathOf(socketPath))
  } catch (error) {
    if (isServed(socketPath)) return null
    throw error
  }
}

/** A directory of ours is private; one that exists is used as it is, unless strangers could replace the socket in it. */
function prepareDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY })
  } catch (error) {
    throw explainRefusal(directory, error)
  }
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

/**
 * Whether somebody accepts connections there. A host with a lock of its own is not asked; one whose listener systemd
 * holds, or whose lock file somebody has removed, is.
 */
export function isServed(path: string): boolean {
  using probe = socket(constants.SOCK_SEQPACKET)
  try {
    connect(probe, path)
    return true
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'EPROTOTYPE') throw new IllegalStateError(`${path} is another program's socket: it is left alone`)
    if (code === 'EACCES') throw explainClosedSocket(path, error)
    // Nobody there: ENOENT, or ECONNREFUSED of a stale socket and of anything that is no socket.
    return !['ENOENT', 'ENOTDIR', 'ELOOP', 'ECONNREFUSED'].includes(code)
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

/** null also where it cannot be said. */
function tryLook(path: string): FileIdentity | null {
  try {
    return fileAt(path)
  } catch {
    return null
  }
}
