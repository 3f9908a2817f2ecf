/**
 * Notices that the last start ended while it read the database. lmdb follows the numbers in the file, and a damaged page can end
 * the process by a signal (SIGSEGV), without a word. So a file is in the folder while the database is read. The next start that
 * finds the file lets another process read everything first, and can say what happened to that.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { damaged } from './database-file.ts'

const MARK_NAME = 'opening'
/** Its arguments: where lmdb is, the folder. */
const READ_ALL = `
const [lmdb, path] = process.argv.slice(1)
const BINARY = { encoding: 'binary', keyEncoding: 'binary' }
const { open } = await import(lmdb)
const root = open({ path, noSubdir: false, maxDbs: 1024, ...BINARY })
for (const name of [...root.getKeys()]) for (const _ of root.openDB({ name: name.toString(), ...BINARY }).getRange()) ;
`

/** @throws ERR_ILLEGAL_STATE the last start could not read it, and it cannot be read */
export function beginOpening(path: string, file: string): void {
  const mark = join(path, MARK_NAME)
  if (existsSync(mark)) tryReading(path, file)
  ifPossible(() => writeFileSync(mark, ''))
}

/** It was read. Where that failed, the mark stays: the next start is as careful. */
export function endOpening(path: string): void {
  ifPossible(() => rmSync(join(path, MARK_NAME), { force: true }))
}

/** A disk that fails, or is full, is told of by those who write values there. */
function ifPossible(change: () => void): void {
  try {
    change()
  } catch {}
}

function tryReading(path: string, file: string): void {
  const args = ['--input-type=module', '-e', READ_ALL, import.meta.resolve('lmdb'), path]
  const { signal } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  // An error is one here too, and is said then.
  if (signal !== null) throw damaged(file, `ends a process that reads it (${signal})`)
}
