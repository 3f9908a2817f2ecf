/**
 * The file of lmdb, before lmdb has it: lmdb maps it and follows the numbers in it. One that is something else, or was cut off, would end
 * the process by a signal (SIGSEGV, SIGBUS), without a word. Only its two meta pages are looked at, and its length: the layout of
 * MDB_meta in lmdb.h, with the header of a page of lmdb-js.
 */
import { closeSync, lstatSync, openSync, readSync, type Stats, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, IllegalStateError } from '@memsvc/shared'

const META_BYTES = 160
const [FLAGS_AT, MAGIC_AT, PAGE_BYTES_AT, LAST_PAGE_AT] = [18, 24, 48, 144]
const IS_META = 8
const MAGIC = 0xbeefc0de
const [LEAST_PAGE, MOST_PAGE] = [256, 65_536]

/** A new one and its first transactions. */
const LEAST_ROOM = 256 * 1024
/** Whole pages, and more than lmdb wants. */
const LOCK_BYTES = 12 * 1024
/** Of st_blocks, inode(7). */
const BLOCK_BYTES = 512

/**
 * One that is not there, or empty, is made by lmdb.
 * @returns whether there is something in it
 * @throws ERR_ILLEGAL_STATE it is no database, or not all of one; there is no room for a new one
 */
export function checkDatabaseFile(file: string): boolean {
  const stats = statsOf(file, statSync)
  if (stats !== null && !stats.isFile()) throw new IllegalStateError(`${file} is not a regular file`)
  const size = stats?.size ?? 0
  if (size === 0) {
    const { bavail, bsize } = statfsSync(dirname(file))
    if (bavail * bsize >= LEAST_ROOM) return false
    throw new IllegalStateError(`${file} has no room: ${bavail * bsize} bytes of the file system are free`)
  }
  const fd = openSync(file, 'r')
  try {
    const first = readMeta(fd, 0)
    const second = first === null ? null : readMeta(fd, first.pageBytes)
    if (first === null || second === null) throw damaged(file, 'is not a database')
    // Of its two states lmdb takes the newer one, whether its pages are there or not. A database never becomes shorter.
    const bytes = Math.max(first.bytes, second.bytes)
    if (size < bytes) throw damaged(file, `has only ${size} bytes of ${bytes}`)
    return true
  } finally {
    closeSync(fd)
  }
}

/**
 * lmdb maps the file of its locks too, and writes to memory for which the disk may have no room (SIGBUS). Nobody else uses it
 * before it is whole.
 * @returns whether it was there
 * @throws ERR_ILLEGAL_STATE it is something else; ENOSPC
 */
export function prepareLockFile(file: string): boolean {
  const stats = statsOf(file, lstatSync)
  if (stats !== null && !stats.isFile()) throw new IllegalStateError(`${file} is not a regular file: move it away`)
  const isWhole = stats !== null && stats.size > 0 && stats.blocks * BLOCK_BYTES >= stats.size
  if (!isWhole) writeFileSync(file, Buffer.alloc(Math.max(LOCK_BYTES, stats?.size ?? 0)))
  return stats !== null
}

function statsOf(file: string, stat: (file: string) => Stats): Stats | null {
  try {
    return stat(file)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** What the database takes, as the meta page there has it; null: there is none. */
function readMeta(fd: number, at: number): { pageBytes: number; bytes: number } | null {
  const page = Buffer.alloc(META_BYTES)
  if (readSync(fd, page, 0, META_BYTES, at) < META_BYTES) return null
  const pageBytes = page.readUInt32LE(PAGE_BYTES_AT)
  const isMeta = (page.readUInt16LE(FLAGS_AT) & IS_META) !== 0 && page.readUInt32LE(MAGIC_AT) === MAGIC
  if (!isMeta || pageBytes < LEAST_PAGE || pageBytes > MOST_PAGE) return null
  return { pageBytes, bytes: (Number(page.readBigUInt64LE(LAST_PAGE_AT)) + 1) * pageBytes }
}

export function damaged(file: string, how: string): IllegalStateError {
  return new IllegalStateError(`${file} is damaged: it ${how}. Move it away, and the stores begin empty`)
}
