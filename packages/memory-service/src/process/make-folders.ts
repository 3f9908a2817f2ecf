/** Folders that are missing, `mkdir -p`. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errorCode } from '@memsvc/shared'

/**
 * Makes `path` and the folders above it. Node's own tries again without end, and without letting a signal in, where a file system that has
 * the folder above says ENOENT to mkdir(2), as /proc does: so each is tried once.
 * @param mode of those that are made. @throws what stat(2) and mkdir(2) say; EEXIST something else is in the way
 */
export function makeFolders(path: string, mode?: number): void {
  const missing: string[] = []
  for (let at = resolve(path); !isFolder(at); at = dirname(at)) missing.unshift(at)
  for (const each of missing) makeFolder(each, mode)
}

function makeFolder(path: string, mode: number | undefined): void {
  try {
    mkdirSync(path, mode)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST' || !isFolder(path)) throw error // else somebody was quicker
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
