/**
 * The file of lmdb, before lmdb has it: lmdb maps it and follows the numbers in it. One that is something else, or was cut off, would end
 * the process by a signal (SIGSEGV, SIGBUS), without a word. Only its two meta pages are looked at, and its length: the layout of
 * MDB_meta in lmdb.h, with the header of a page of lmdb-js.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { errorCode, IllegalStateError } from '@memsvc/shared'

const META_BYTES = 160
const [FLAGS_AT, MAGIC_AT, PAGE_BYTES_AT, LAST_PAGE_AT] = [18, 24, 48, 144]
const IS_META = 8
const MAGIC = 0xbeefc0de
const [LEAST_PAGE, MOST_PAGE] = [256, 65_536]

/** One that is not there, or empty, is made by lmdb. @throws ERR_ILLEGAL_STATE it is no database, or not all of one */
export function checkDatabaseFile(file: string): void {
  const size = sizeOf(file)
  if (size === 0) return
  const fd = openSync(file, 'r')
  try {
    const first = readMeta(fd, 0)
    const second = first === null ? null : readMeta(fd, first.pageBytes)
    if (first === null || second === null) throw damaged(file, 'is not a database')
    // Of its two states lmdb takes the newer one, whether its pages are there or not. A database never becomes shorter.
    const bytes = Math.max(first.bytes, second.bytes)
    if (size < bytes) throw damaged(file, `has only ${size} bytes of ${bytes}`)
  } finally {
    closeSync(fd)
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0
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

function damaged(file: string, how: string): IllegalStateError {
  return new IllegalStateError(`${file} is damaged: it ${how}. Move it away, and the stores begin empty`)
}
