/**
 * The folder of `--state`: an lmdb environment with a database for each store, and one of what concerns a store as a whole. It belongs
 * to one process at a time, and nobody but the daemon's user may look into it.
 */
import { chmodSync, constants, existsSync, openSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { errorCode, IllegalStateError, SecurityError } from '@memsvc/shared'
import { checkPathTrust, octal, type TrustedUsers } from '@memsvc/shared/internal'
import { lockFile, OwnedFd } from 'memfd-native'
import { makeFolders } from '../process/make-folders.ts'
import { checkDatabaseFile, damaged, prepareLockFile } from './database-file.ts'
import { type Database, type DatabaseOptions, loadLmdb, type RootDatabase } from './lmdb.ts'
import { beginOpening, endOpening } from './opening.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
const OTHERS = 0o077
/** Of lmdb, in a folder. */
const DATABASE_NAME = 'data.mdb'
const READERS_NAME = 'lock.mdb'
/** One for each store that there ever was, and one more. */
const MAX_DATABASES = 1024
const ABOUT = 'about'

/** Keeps the lock and the environment open until `close()`. */
export class StateFolder {
  readonly path: string
  /** Whether there was a state here, and it is gone: an empty database, or none, beside its other file. */
  readonly isLost: boolean
  readonly #root: RootDatabase
  readonly #lock: OwnedFd
  readonly #about: Database
  /** The file that is open, by its device and inode. */
  readonly #file: string | null

  private constructor(path: string, root: RootDatabase, { lock, isLost }: { lock: OwnedFd; isLost: boolean }) {
    this.path = path
    this.isLost = isLost
    this.#file = fileAt(join(path, DATABASE_NAME))
    this.#root = root
    this.#lock = lock
    this.#about = root.openDB({ name: ABOUT, ...BINARY })
  }

  /**
   * Makes the folder if there is none.
   * @throws ERR_ILLEGAL_STATE another process has it, lmdb is not installed, it cannot be opened or is damaged; ERR_SECURITY others may look into it or
   *   change the way to it
   */
  static async open(given: string, ownUid: number, trusted: TrustedUsers): Promise<StateFolder> {
    let path = resolve(given)
    const { open } = await loadLmdb()
    const before = process.umask(OTHERS)
    try {
      if (!existsSync(path)) makeFolders(path, FOLDER_MODE)
      checkPathTrust(`the state folder ${path}`, join(path, DATABASE_NAME), trusted)
      path = realpathSync(path) // what systemd makes for a DynamicUser= is a link of root's
      checkFolder(path, ownUid)
      const lock = takeLock(path)
      try {
        const file = join(path, DATABASE_NAME)
        const isThere = checkDatabaseFile(file)
        const hadLocks = prepareLockFile(join(path, READERS_NAME))
        if (isThere) beginOpening(path, file)
        const root = open<Buffer, Buffer>({ path, noSubdir: false, maxDbs: MAX_DATABASES, ...BINARY, ...ONE_COMMIT })
        // No others: the folder may be somebody's home.
        for (const name of [DATABASE_NAME, READERS_NAME]) chmodSync(join(path, name), FILE_MODE)
        return new StateFolder(path, root, { lock, isLost: hadLocks && !isThere })
      } catch (error) {
        lock.close()
        throw error
      }
    } catch (error) {
      if (error instanceof IllegalStateError || error instanceof SecurityError) throw error
      throw damageOr(path, error, (cause) => `the state folder ${path} cannot be opened: ${cause.message}`)
    } finally {
      process.umask(before)
    }
  }

  /** The database of a store. */
  database(store: string): Database {
    return this.#root.openDB({ name: `store:${store}`, ...BINARY })
  }

  /** What was to be read at the start has been read. */
  endReading(): void {
    endOpening(this.path)
  }

  /** How many keys a store has there. @throws as errorOf */
  count(store: string): number {
    return this.#reading(() => (this.database(store).getStats() as { entryCount?: number }).entryCount ?? 0)
  }

  /**
   * All records of a store, each decoded by `decode` from the first `length` bytes of a buffer. lmdb reuses that
   * buffer, so the result is valid until the next record. Making a Buffer for each key and value would take longer than
   * reading them.
   * @throws while it is iterated: see errorOf
   */
  read<T>(store: string, decode: (value: Buffer, length: number) => T): Iterable<{ key: string; value: T }> {
    const encoder = {
      decode: (value: Uint8Array, length: number) => decode(bufferOf(value), length),
      encode: cannotWrite,
    }
    const options = { name: `store:${store}`, cache: false, encoding: 'binary', encoder, keyEncoder: TEXT }
    return this.#root.openDB<T, string>(options as DatabaseOptions & { name: string }).getRange({ start: FIRST_KEY })
  }

  /** The error of a read: ERR_ILLEGAL_STATE if the database is damaged. */
  errorOf(error: unknown): Error {
    return damageOr(this.path, error)
  }

  /** The last versions that were given in a store, one for each area. @throws as errorOf */
  versionsOf(store: string): bigint[] {
    const bytes = this.#reading(() => this.#about.get(Buffer.from(store)))
    const text = bytes === undefined ? '[]' : bytes.toString()
    return (JSON.parse(text) as string[]).map(BigInt)
  }

  /**
   * Writes all of it, or nothing. On disk when it resolves. @param write calls `put` and `remove` of databases, and `setVersions`
   * @throws errors of lmdb; ERR_ILLEGAL_STATE somebody has removed or replaced the database: the next daemon does not find what is written
   */
  async commit(write: () => void): Promise<void> {
    await this.#root.transaction(write)
    this.#checkPlace()
  }

  /** The same, and waits for it. */
  commitSync(write: () => void): void {
    this.#root.transactionSync(write)
    this.#checkPlace()
  }

  /** In a `write`. */
  setVersions(store: string, versions: readonly bigint[]): void {
    void this.#about.put(Buffer.from(store), Buffer.from(JSON.stringify(versions.map(String))))
  }

  #checkPlace(): void {
    const file = join(this.path, DATABASE_NAME)
    if (fileAt(file) === this.#file) return
    throw new IllegalStateError(`${file} was removed or replaced while it was open: restart the daemon`)
  }

  #reading<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw damageOr(this.path, error)
    }
  }

  close(): void {
    this.endReading()
    void this.#root.close()
    this.#lock.close()
  }
}

/** What lmdb says of pages that are not what they should be; another error as it is, or in other words. */
function damageOr(path: string, error: unknown, words?: (cause: Error) => string): Error {
  const cause = error as Error
  if (/^MDB_(?:CORRUPTED|PAGE_NOTFOUND|INVALID|PANIC|BAD_TXN|BAD_VALSIZE|VERSION_MISMATCH)/.test(cause.message))
    return damaged(join(path, DATABASE_NAME), `has pages that are wrong (${cause.message})`)
  return words === undefined ? cause : new IllegalStateError(words(cause), { cause })
}

/** null: nothing is there. */
function fileAt(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`
}

/** Keys are texts in UTF-8. */
const TEXT = {
  writeKey: (key: string | Uint8Array, target: Buffer, at: number) => at + Buffer.from(key).copy(target, at),
  readKey: (source: Buffer, start: number, end: number) => source.toString('utf8', start, end),
}
/** Otherwise lmdb would begin with a byte of its own encoding. */
const FIRST_KEY = '\0'

function cannotWrite(): never {
  throw new Error('this is only read')
}

/** Large values lmdb shows in the file itself. */
function bufferOf(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

const BINARY = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const
/** A change is reported as kept only when it is on disk. */
const ONE_COMMIT = { overlappingSync: false, eventTurnBatching: false, commitDelay: 0 } as const

function checkFolder(path: string, ownUid: number): void {
  const stats = statSync(path)
  const { uid, mode } = stats
  if (!stats.isDirectory()) throw new IllegalStateError(`the state folder ${path} is not a folder`)
  if (uid !== ownUid) throw new SecurityError(`the state folder ${path} belongs to uid ${uid}, not ${ownUid}`)
  if ((mode & OTHERS) === 0) return
  throw new SecurityError(
    `the state folder ${path} has mode ${octal(mode & 0o7777)}: other users could read it. Name a folder of its own; if ` +
      `this is one, run: chmod 700 ${path}`,
  )
}

/** Locks the folder itself: a file in it could be removed, and a second daemon would lock another one. */
function takeLock(path: string): OwnedFd {
  const lock = OwnedFd.adopt(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
  try {
    if (lockFile(lock)) return lock
  } catch (error) {
    if (errorCode(error) !== 'EAGAIN') throw error
  }
  lock.close()
  throw new IllegalStateError(`another process uses the state folder ${path}`)
}
