/** Explains why connect(2) did not reach a registry, and what to do. */

import { accessSync, constants as fs, lstatSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { connect, constants, SyscallError, socket } from 'memfd-native'
import { errorCode, RegistryUnavailableError, SecurityError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { type RegistryPlace, SYSTEM_REGISTRY_PATH, userRegistryPath } from './registry-path.ts'

/** What is at the path, if connect(2) fails with ECONNREFUSED because it is not a socket. */
const KINDS = [
  ['isDirectory', 'a folder'],
  ['isFile', 'a file'],
  ['isFIFO', 'a pipe'],
  ['isCharacterDevice', 'a device'],
  ['isBlockDevice', 'a device'],
] as const

/** @param cause the error of connect(2); all other errors are returned unchanged */
export function whyUnreachable(place: RegistryPlace, cause: unknown): unknown {
  if (!(cause instanceof SyscallError)) return cause
  const { path } = place
  switch (cause.code) {
    case 'EACCES':
    case 'EPERM':
      return withoutStack(() => new SecurityError(`the registry at ${path} is closed to this user`, { cause }))
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return unavailable(whatIsNoSocket(path) ?? `no registry at ${path}${whatHelps(place)}`, cause)
    case 'ENOENT':
      return unavailable(`no registry at ${path}${isAddress(path) ?? whatHelps(place)}`, cause)
    case 'ENOTDIR':
      return unavailable(`no registry can be at ${path}: a part of that path is not a folder`, cause)
    case 'ELOOP':
      return unavailable(`no registry can be at ${path}: its symbolic links form a circle`, cause)
    case 'ENAMETOOLONG':
      return unavailable(`no registry can be at ${path}: a name in that path is too long`, cause)
    case 'EPROTOTYPE':
      return unavailable(`${path} is the socket of another program, not of a registry: it does not take packets`, cause)
    default:
      return cause
  }
}

function unavailable(message: string, cause: Error): RegistryUnavailableError {
  return withoutStack(() => new RegistryUnavailableError(message, { cause }))
}

function whatIsNoSocket(path: string): string | null {
  try {
    const stats = statSync(path)
    const [, kind] = KINDS.find(([is]) => stats[is]()) ?? []
    return kind === undefined ? null : `${path} is ${kind}, not the socket of a registry`
  } catch {
    return null
  }
}

/** As other programs write addresses of sockets. */
function isAddress(path: string): string | null {
  return /^unix:/.test(path) ? ": that is an address; give the path without 'unix:'" : null
}

function whatHelps(place: RegistryPlace): string {
  const hints = [
    ...(mayBeHosted(place.path) ? [`start one with 'memsvc start'${sameOptions(place)}`] : []),
    ...whoElseIsServed(place),
  ]
  return hints.length === 0 ? ', and this user may not start one there' : `: ${hints.join('; ')}`
}

/** So that it is there, and not where it would be otherwise. */
function sameOptions({ path, by }: RegistryPlace): string {
  if (by === 'path') return ` and --registry ${path}`
  if (by !== 'scope') return ''
  return ` and ${path === SYSTEM_REGISTRY_PATH ? '--system' : '--user'}`
}

/** Whether this user may put a socket there. */
function mayBeHosted(path: string): boolean {
  try {
    let folder = dirname(path)
    while (lstatSync(folder, { throwIfNoEntry: false }) === undefined) folder = dirname(folder)
    accessSync(folder, fs.W_OK | fs.X_OK)
    return true
  } catch {
    return false
  }
}

function whoElseIsServed(place: RegistryPlace): string[] {
  const how = place.by === 'path' || place.by === 'scope' ? 'instead say' : 'add'
  const served = otherRegistries(place).filter(({ isServed }) => isServed)
  return served.map(({ scope, whose }) => `${whose} registry is running: ${how} --${scope}`)
}

export interface OtherRegistry {
  readonly scope: 'user' | 'system'
  readonly whose: string
  readonly path: string
  /** Whether somebody listens there. */
  readonly isServed: boolean
}

/** The user's registry and the machine's, without the one that was tried. */
export function otherRegistries({ path }: RegistryPlace): OtherRegistry[] {
  const all = [
    { scope: 'user', whose: "the user's", path: userRegistryPath(process.env) },
    { scope: 'system', whose: "the machine's", path: SYSTEM_REGISTRY_PATH },
  ] as const
  return all.flatMap((other) =>
    other.path === undefined || other.path === path
      ? []
      : { ...other, path: other.path, isServed: isServed(other.path) },
  )
}

function isServed(path: string): boolean {
  const probe = socket(constants.SOCK_SEQPACKET)
  try {
    connect(probe, path)
    return true
  } catch (error) {
    return errorCode(error) === 'EAGAIN'
  } finally {
    probe.close()
  }
}
