/**
 * Where the registry's socket is. Clients and daemons follow the same rule, which depends on options and environment,
 * never on what happens to exist. There is no fallback in /tmp, where every user could put a socket.
 */

import { Buffer } from 'node:buffer'
import { join } from 'node:path'
import process from 'node:process'
import { checkInteger, checkString, MAX_UID, show } from '../util/check.ts'
import { InvalidArgValueError } from '../util/errors.ts'
import { TrustedUsers } from './trusted-users.ts'

/** Bytes of a socket's path that fit into sockaddr_un, unix(7). */
export const MAX_PATH_BYTES = 107

/** The registry of the machine's daemon, as systemd starts it. */
export const SYSTEM_REGISTRY_PATH = '/run/memsvc/registry.sock'

const SCOPES: readonly unknown[] = ['user', 'system']

/** What says where the registry is; each goes before the next. */
export interface RegistryChoice {
  /** The socket, wherever it lies. Not together with `scope`. */
  path?: string | undefined
  /** The user's registry, `$XDG_RUNTIME_DIR/memsvc/registry.sock`, or the machine's, /run/memsvc/registry.sock. */
  scope?: 'user' | 'system' | undefined
  /** A user who is trusted with the registry besides root and this process's own: the uid. */
  registryOwner?: number | undefined
}

/** Where the registry is, and who is trusted with it. */
export interface RegistryPlace {
  /** Of the socket. */
  readonly path: string
  /** What chose it. */
  readonly by: 'path' | 'scope' | 'MEMSVC_REGISTRY' | 'XDG_RUNTIME_DIR' | 'default'
  readonly trusted: TrustedUsers
}

/**
 * `path` or `scope`, else MEMSVC_REGISTRY, else the user's where XDG_RUNTIME_DIR is set, else the machine's.
 * @throws ERR_INVALID_ARG_VALUE for an empty path or one over 107 bytes, a path together with a scope, or the user's
 *   registry without XDG_RUNTIME_DIR; ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE for a registryOwner that is not a uid
 */
export function findRegistry(choice: RegistryChoice = {}, env: NodeJS.ProcessEnv = process.env): RegistryPlace {
  const { registryOwner } = choice
  if (registryOwner !== undefined) checkInteger('registryOwner', registryOwner, 0, MAX_UID)
  const { path, by } = findPath(choice, env)
  const isExplicit = by === 'path' || by === 'scope' || by === 'MEMSVC_REGISTRY'
  return { path: checkPath(path), by, trusted: new TrustedUsers({ owner: registryOwner, trustsOverflow: isExplicit }) }
}

/** The user's registry; undefined without XDG_RUNTIME_DIR. */
export function userRegistryPath({ XDG_RUNTIME_DIR }: NodeJS.ProcessEnv): string | undefined {
  // Relative paths there are to be ignored, says the XDG base directory specification.
  return XDG_RUNTIME_DIR?.startsWith('/') ? join(XDG_RUNTIME_DIR, 'memsvc/registry.sock') : undefined
}

function findPath({ path, scope }: RegistryChoice, env: NodeJS.ProcessEnv): Pick<RegistryPlace, 'path' | 'by'> {
  if (path !== undefined && scope !== undefined) {
    throw new InvalidArgValueError('a path and a scope (--registry, --system, --user) exclude each other')
  }
  if (path !== undefined) {
    checkString('path', path)
    return { path, by: 'path' }
  }
  if (scope !== undefined) return { path: pathOfScope(scope, env), by: 'scope' }
  if (env.MEMSVC_REGISTRY) return { path: env.MEMSVC_REGISTRY, by: 'MEMSVC_REGISTRY' }
  const usersPath = userRegistryPath(env)
  if (usersPath !== undefined) return { path: usersPath, by: 'XDG_RUNTIME_DIR' }
  return { path: SYSTEM_REGISTRY_PATH, by: 'default' }
}

function pathOfScope(scope: 'user' | 'system', env: NodeJS.ProcessEnv): string {
  if (!SCOPES.includes(scope)) throw new InvalidArgValueError(`scope must be 'user' or 'system', got ${show(scope)}`)
  if (scope === 'system') return SYSTEM_REGISTRY_PATH
  const path = userRegistryPath(env)
  if (path !== undefined) return path
  const reason = env.XDG_RUNTIME_DIR ? `is relative: ${show(env.XDG_RUNTIME_DIR)}` : 'is not set'
  throw new InvalidArgValueError(`the user's registry is in XDG_RUNTIME_DIR, which ${reason}`)
}

function checkPath(path: string): string {
  if (path.includes('\0'))
    throw new InvalidArgValueError(`the registry's path must not contain a NUL character, got ${show(path)}`)
  const bytes = Buffer.byteLength(path)
  if (bytes === 0 || bytes > MAX_PATH_BYTES) {
    throw new InvalidArgValueError(
      `the registry's path must have 1 to ${MAX_PATH_BYTES} bytes, this one has ${bytes}: ${JSON.stringify(path)}`,
    )
  }
  return path
}
