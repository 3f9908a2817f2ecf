/**
 * The registry's socket in the file system: who may make it, where, and with which mode.
 *
 * Only the process that holds the lock file's lock for its whole life may bind. Probing a socket, removing it and
 * binding again is a race that two starting processes can both win. A lock is not, and the kernel releases it when the
 * process ends, whatever the reason. So a socket is stale if its lock is free.
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, IllegalStateError } from '@memsvc/shared'
import { checkPathTrust, type RegistryPlace } from '@memsvc/shared/internal'
import { bind, connect, constants, fchmod, listen, OwnedFd, socket } from 'memfd-native'
import { makeFolders } from '../process/make-folders.ts'
import { type FileIdentity, fileAt, fileBehind, isSameFile } from '../process/same-file.ts'
import { DAEMON_LIMITS } from '../quota/limits.ts'
import { explainClosedSocket, explainRefusal } from './leftover.ts'
import { LockFile } from './lock-file.ts'
import { describeHolder } from './lock-holder.ts'
import type { RegistryEndpoint } from './registry-endpoint.ts'
import { PathTakenError } from './registry-endpoint.ts'

const PRIVATE_SOCKET = 0o600
const PRIVATE_DIRECTORY = 0o700
/**
 * A starting process holds the lock only for a moment, while it checks whether somebody serves. A process that holds it
 * so many times in a row keeps it.
 */
const REFUSALS_TO_BELIEVE = 3

type HostPlace = Pick<RegistryPlace, 'path' | 'trusted'>

/** The right to host the registry at a path, for as long as it is open. */
export class HostLock implements RegistryEndpoint {
  readonly #place: HostPlace
  readonly #path: string
  #lock: LockFile
  /** Its number cannot become another file's while the listener is open. */
  #socket: FileIdentity | null = null
  #mode = PRIVATE_SOCKET
  #refusals = 0

  private constructor(place: HostPlace, lock: LockFile) {
    this.#place = place
    this.#path = place.path
    this.#lock = lock
  }

  /**
   * Takes the lock, and makes the socket's directory if there is none (0700).
   * @returns null while another process has it, or hosts the registry without one
   * @throws ERR_SECURITY others may change the way there, or it is another user's leftover; ERR_ILLEGAL_STATE another
   *   program's socket; errors of mkdir(2) and open(2)
   */
  static tryTake(place: HostPlace): HostLock | null {
    const { path: socketPath } = place
    checkWay(place) // before anything is made where somebody else decides what it leads to
    if (isServed(socketPath)) return null
    // A path that is refused gets no lock file: that may be somebody else's.
    checkReplaceable(socketPath)
    const lock = tryLock(place)
    if (lock === null) return null
    try {
      if (isServed(socketPath)) {
        lock.close()
        return null
      }
      lock.sign()
      return new HostLock(place, lock)
    } catch (error) {
      lock.close()
      throw error
    }
  }

  /**
   * Binds and listens, and replaces a socket that a dead process left.
   * @param mode of the socket; before it is set nobody can connect
   * @returns the listener, which the caller owns
   * @throws ERR_ILLEGAL_STATE if something other than a socket is at the path; errors of bind(2)
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
    checkWay(this.#place)
    prepareDirectory(this.#place)
    if (!this.#lock.isInPlace && !this.#relock()) return null
    if (this.#hasSocket) return null
    if (isServed(this.#path)) throw new PathTakenError(`another process now serves ${this.#path}`)
    return this.listen(this.#mode)
  }

  /**
   * Removes the socket, if it is still this one. To be called while the listener is open. Where that is not allowed any more (a file
   * system that is read-only now), it stays: it is stale then, and the next host replaces it or says why it cannot.
   */
  removeSocket(): void {
    if (isSameFile(this.#socket, tryLook(this.#path))) tryUnlink(this.#path)
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
  #relock(): boolean {
    const lock = LockFile.tryTake(this.#lock.path)
    if (lock === null) {
      this.#refusals += 1
      const isDecided = this.#refusals >= REFUSALS_TO_BELIEVE || (!this.#hasSocket && isServed(this.#path))
      if (isDecided)
        throw new PathTakenError(`${describeHolder(this.#lock.path)} now holds the lock ${this.#lock.path}`)
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
function tryLock(place: HostPlace): LockFile | null {
  try {
    prepareDirectory(place)
    return LockFile.tryTake(lockPathOf(place.path))
  } catch (error) {
    if (isServed(place.path)) return null
    throw error
  }
}

/**
 * A folder that memsvc makes is private; an existing one is used unchanged.
 * @throws ERR_SECURITY if a folder of another user is in the way
 */
function prepareDirectory(place: HostPlace): void {
  const directory = dirname(place.path)
  try {
    makeFolders(directory, PRIVATE_DIRECTORY)
  } catch (error) {
    throw explainRefusal(directory, error)
  }
  checkWay(place)
}

/**
 * @throws ERR_SECURITY if other users could replace a part of the path to the socket, or have put a socket or a lock
 *   there
 */
function checkWay({ path, trusted }: HostPlace): void {
  for (const each of [path, lockPathOf(path)]) checkPathTrust(`the registry at ${path}`, each, trusted)
}

/**
 * Whether a process accepts connections there. This is needed for a host whose listener systemd holds, or whose lock
 * file was removed; other hosts are known by their lock.
 */
export function isServed(path: string): boolean {
  using probe = socket(constants.SOCK_SEQPACKET)
  try {
    connect(probe, path)
    return true
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'EPROTOTYPE')
      throw new IllegalStateError(`${path} is the socket of another program: memsvc does not replace it`)
    if (code === 'EACCES') throw explainClosedSocket(path, error)
    // Nobody listens: ENOENT, or ECONNREFUSED for a stale socket and for anything that is not a socket.
    return !['ENOENT', 'ENOTDIR', 'ELOOP', 'ECONNREFUSED'].includes(code)
  }
}

function removeStale(path: string): void {
  checkReplaceable(path)
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

/** @throws ERR_ILLEGAL_STATE something is there that is not a socket */
function checkReplaceable(path: string): void {
  if (isSomethingElse(path))
    throw new IllegalStateError(`${path} exists and is not a socket: memsvc does not replace it`)
}

function isSomethingElse(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return false // there is no folder that it could be in
    throw error
  }
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path)
  } catch {}
}

/** null also where it cannot be said. */
function tryLook(path: string): FileIdentity | null {
  try {
    return fileAt(path)
  } catch {
    return null
  }
}
