/** The folder of this memsvc, and whether a systemd service could run it from there. */
import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { IllegalStateError } from '@memsvc/shared'
import { inPackage } from '../process/package-folder.ts'

/** What ProtectHome= and PrivateTmp= hide from the service. */
const HIDDEN_FOLDERS = ['/home', '/root', '/run/user', '/tmp', '/var/tmp']
const OTHERS_MAY_ENTER = 0o001
/** What this package loads. */
const LIBRARIES = ['memfd-native', '@memsvc/shared']

export interface Installation {
  /** Absolute paths. */
  readonly node: string
  readonly program: string
  /** The folder below which the program and all that it loads lie. */
  readonly root: string
}

/**
 * The installation that is running.
 * @param also names of other packages that it loads
 */
export function findInstallation(also: readonly string[] = []): Installation {
  const program = inPackage('bin/memsvc.js')
  return { node: process.execPath, program, root: sharedFolder([program, ...placesOf([...LIBRARIES, ...also])]) }
}

/** Where Node looks for packages from here, and the targets of links. */
function placesOf(names: readonly string[]): string[] {
  const require = createRequire(import.meta.url)
  return names.flatMap((name) => {
    const links = (require.resolve.paths(name) ?? []).map((folder) => join(folder, name))
    return [require.resolve(name), ...links.filter((path) => existsSync(path)).slice(0, 1)]
  })
}

/** The folder above all of them, and above their node_modules. */
export function sharedFolder(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => dirname(path).split(sep))
  const differs = first.findIndex((name, i) => others.some((other) => other[i] !== name))
  const folder = differs < 0 ? first : first.slice(0, differs)
  return (folder.at(-1) === 'node_modules' ? folder.slice(0, -1) : folder).join(sep)
}

/** What the service must be shown although it lies in folders that are hidden from it. */
export function hiddenPaths({ node, root }: Installation): string[] {
  return [node, root].filter(isHidden)
}

/**
 * The service runs as its own user, which must be able to enter every folder of the path. Hidden folders are made again
 * inside its sandbox.
 * @throws ERR_ILLEGAL_STATE that names the folder which it cannot enter
 */
export function checkReachable({ node, root }: Installation): void {
  for (const path of [node, root].filter((path) => !isHidden(path))) {
    for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
      if ((statSync(folder).mode & OTHERS_MAY_ENTER) === 0)
        throw new IllegalStateError(`the service runs as its own user, which may not enter ${folder}`)
    }
  }
}

function isHidden(path: string): boolean {
  return HIDDEN_FOLDERS.some((folder) => path.startsWith(`${folder}/`))
}
