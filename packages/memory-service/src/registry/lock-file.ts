/**
 * The lock beside the registry's socket. flock(2) locks a file, not a path: a removed file stays locked, and another
 * process can lock the new file at the path. So a lock counts only while its file is the one at the path.
 */
import { constants as fs, ftruncateSync, openSync, writeSync } from 'node:fs'
import { errorCode, IllegalStateError } from '@memsvc/shared'
import { fstat, lockFile, OwnedFd, SyscallError } from 'memfd-native'
import { fileAt, isSameFile } from '../process/same-file.ts'
import { explainRefusal } from './leftover.ts'

const PRIVATE_FILE = 0o600
const FLAGS = fs.O_RDWR | fs.O_CREAT | fs.O_NOFOLLOW | fs.O_NONBLOCK | fs.O_NOCTTY

/** A lock that this process holds until it closes it or ends. */
export class LockFile {
  readonly path: string
  readonly #fd: OwnedFd

  private constructor(path: string, fd: OwnedFd) {
    this.path = path
    this.#fd = fd
  }

  /**
   * Takes the lock of the file at the path, which is made where there is none.
   * @returns null while another process has it
   * @throws ERR_SECURITY the file is a leftover of another user; ERR_ILLEGAL_STATE no regular file; errors of open(2)
   */
  static tryTake(path: string): LockFile | null {
    for (;;) {
      using fd = openLock(path)
      if (!tryLock(fd, path)) return null
      // Between open(2) and flock(2) somebody may have removed the file: then another one is at the path by now.
      if (isSameFile(fstat(fd), fileAt(path))) return new LockFile(path, OwnedFd.adopt(fd.release()))
    }
  }

  /**
   * Whether its file is still the one at the path, which others would lock.
   * @throws errors of lstat(2)
   */
  get isInPlace(): boolean {
    return isSameFile(fstat(this.#fd), fileAt(this.path))
  }

  get isClosed(): boolean {
    return this.#fd.isClosed
  }

  /** Writes our pid into it, for people. */
  sign(): void {
    ftruncateSync(this.#fd.fd)
    writeSync(this.#fd.fd, `${process.pid}\n`, 0)
  }

  /** Gives the lock back. The file stays: removing it would race with who opens it. Idempotent. */
  close(): void {
    this.#fd.close()
  }
}

/** @throws SyscallError with the path: ENOLCK if the file system has no locks, or none left */
function tryLock(fd: OwnedFd, path: string): boolean {
  try {
    return lockFile(fd)
  } catch (error) {
    throw error instanceof SyscallError ? new SyscallError(error.syscall, error.errno, path) : error
  }
}

function openLock(path: string): OwnedFd {
  const owned = OwnedFd.adopt(tryOpen(path))
  if ((fstat(owned).mode & fs.S_IFMT) === fs.S_IFREG) return owned
  owned.close()
  throw new IllegalStateError(`the lock file is not a regular file: ${path}`)
}

function tryOpen(path: string): number {
  try {
    return openSync(path, FLAGS, PRIVATE_FILE)
  } catch (error) {
    // open(2): of a fifo without a reader, of a socket; of a folder
    if (['ENXIO', 'EISDIR'].includes(errorCode(error) ?? '')) {
      throw new IllegalStateError(`the lock file is not a regular file: ${path}`, { cause: error })
    }
    throw explainRefusal(path, error)
  }
}
