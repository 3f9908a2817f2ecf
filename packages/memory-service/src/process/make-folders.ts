/** Makes missing folders, like `mkdir -p`. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errorCode } from '@memsvc/shared'

/**
 * Makes `path` and the folders above it, and tries each only once. Node's own function tries forever, without handling
 * signals, if mkdir(2) fails with ENOENT although the parent exists, as in /proc.
 * @param mode of the new folders
 * @throws errors of stat(2) and mkdir(2); EEXIST if something else is in the way
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
