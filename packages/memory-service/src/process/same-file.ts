/** Identifies the file at a path by its device and inode. No other file gets the same numbers while somebody has it open. */
import { lstatSync, type Stats, statSync } from 'node:fs'
import { errorCode } from '@memsvc/shared'

export interface FileIdentity {
  readonly dev: number
  readonly ino: number
}

export function isSameFile(a: FileIdentity | null, b: FileIdentity | null): boolean {
  return a !== null && b !== null && a.dev === b.dev && a.ino === b.ino
}

/**
 * What is at the path, without following links; null if nothing is there.
 * @throws errors of lstat(2)
 */
export function fileAt(path: string): Stats | null {
  return unlessMissing(() => lstatSync(path))
}

/** What the path leads to, over all links; null: nothing. @throws errors of stat(2) */
export function fileBehind(path: string): Stats | null {
  return unlessMissing(() => statSync(path))
}

function unlessMissing(look: () => Stats): Stats | null {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return null
    throw error
  }
}
