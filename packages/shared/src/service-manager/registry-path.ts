/** Where the registry's socket is. There is no fall-back under /tmp, where anybody could put a socket of his own. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgValueError } from '../errors.ts'

/** Bytes of a socket's path that fit into sockaddr_un, unix(7). */
export const MAX_PATH_BYTES = 107

/** Of the machine's daemon, as systemd starts it. */
export const SYSTEM_REGISTRY_PATH = '/run/memsvc/registry.sock'

export interface PathOptions {
  /** Given by the user: taken as it is, wherever it lies. */
  path?: string | undefined
  env?: NodeJS.ProcessEnv
}

/**
 * For clients: `path`, else MEMSVC_REGISTRY, else the first of the user's and the system's path where a socket exists
 * (the last of them when none does).
 * @throws ERR_INVALID_ARG_VALUE over 107 bytes, or empty
 */
export function clientRegistryPath(options: PathOptions = {}): string {
  const given = givenPath(options)
  if (given !== undefined) return given
  const candidates = defaultPaths(options.env ?? process.env)
  return checkPath(candidates.find(isSocket) ?? SYSTEM_REGISTRY_PATH)
}

/** For daemons: `path`, else MEMSVC_REGISTRY, else the user's path where XDG_RUNTIME_DIR is set, else the system's. */
export function daemonRegistryPath(options: PathOptions = {}): string {
  return givenPath(options) ?? checkPath(defaultPaths(options.env ?? process.env)[0] ?? SYSTEM_REGISTRY_PATH)
}

function givenPath({ path, env = process.env }: PathOptions): string | undefined {
  const given = path ?? (env.MEMSVC_REGISTRY || undefined)
  return given === undefined ? undefined : checkPath(given)
}

function defaultPaths(env: NodeJS.ProcessEnv): string[] {
  const runtimeDir = env.XDG_RUNTIME_DIR
  // Relative paths there are to be ignored, says the XDG base directory specification.
  return runtimeDir?.startsWith('/')
    ? [join(runtimeDir, 'memsvc/registry.sock'), SYSTEM_REGISTRY_PATH]
    : [SYSTEM_REGISTRY_PATH]
}

function checkPath(path: string): string {
  const bytes = Buffer.byteLength(path)
  if (bytes === 0 || bytes > MAX_PATH_BYTES || path.includes('\0')) {
    throw new InvalidArgValueError(
      `the registry's path must have 1 to ${MAX_PATH_BYTES} bytes, this one has ${bytes}: ${JSON.stringify(path)}`,
    )
  }
  return path
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket()
  } catch {
    return false
  }
}
