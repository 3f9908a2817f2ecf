/**
 * The folder of this package, which also contains the files shipped beside the code. The code may be in a bundle, or in
 * a folder of its own.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Of this package, and of all that are released with it. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as { version: string }).version
}

/** @param path below the package's folder */
export function inPackage(path: string): string {
  return join(packageOf(import.meta.filename), path)
}

/** The folder of the package that a file belongs to. */
export function packageOf(file: string): string {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
