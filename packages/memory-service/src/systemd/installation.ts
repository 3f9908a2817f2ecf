/** Where this memsvc lies, and whether a service of systemd could run it from there. */
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { IllegalStateError } from '@memsvc/shared'
import { inPackage } from '../process/package-folder.ts'

/** What ProtectHome= and PrivateTmp= hide from the service. */
const HIDDEN_FOLDERS = ['/home', '/root', '/run/user', '/tmp', '/var/tmp']
const OTHERS_MAY_ENTER = 0o001

export interface Installation {
  /** Absolute paths. */
  readonly node: string
  readonly program: string
  /** The folder below which the program and all that it loads lie. */
  readonly root: string
}

/** The one that runs now. */
export function findInstallation(): Installation {
  const program = inPackage('bin/memsvc.js')
  const dependency = createRequire(import.meta.url).resolve('commander')
  const root = dependency.slice(0, dependency.lastIndexOf(`${sep}node_modules${sep}`))
  return { node: process.execPath, program, root }
}

/** What the service must be shown although it lies in folders that are hidden from it. */
export function hiddenPaths({ node, root }: Installation): string[] {
  return [node, root].filter(isHidden)
}

/**
 * The service runs as a user of its own, to whom every folder on the way must be open. Those of a hidden path are made
 * anew for it.
 * @throws ERR_ILLEGAL_STATE naming the folder that is not
 */
export function checkReachable({ node, root }: Installation): void {
  for (const path of [node, root].filter((path) => !isHidden(path))) {
    for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
      if ((statSync(folder).mode & OTHERS_MAY_ENTER) === 0)
        throw new IllegalStateError(`the service runs as a user of its own, and only some may enter ${folder}`)
    }
  }
}

function isHidden(path: string): boolean {
  return HIDDEN_FOLDERS.some((folder) => path.startsWith(`${folder}/`))
}
