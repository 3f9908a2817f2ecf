/** A file that is there whole or as it was, whoever reads it meanwhile. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** Beside it, and moved there: rename(2). @throws errors of open(2), write(2), rename(2); then the old file stays */
export function replaceFile(path: string, text: string): void {
  const beside = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(beside, text, { flag: 'wx', mode: 0o644 })
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}
