/** memsvc as a process, and what it says of itself. */
import { chownSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Daemon,
  type DaemonOptions,
  type Ending,
  newRegistryPath,
  OTHER_UID,
  type Program,
  type ProgramOptions,
  runProgram,
  startDaemon,
  startProgram,
} from '@memsvc/shared/test-support'
import type { Test } from 'tap'

/** The program, as node runs it. */
export const MEMSVC = fileURLToPath(new URL('../../bin/memsvc.js', import.meta.url))

/** The tool of the package beside this one, for clients in processes of their own. */
export const MEMCLIENT = fileURLToPath(new URL('../../../client-cli/bin/memclient.cjs', import.meta.url))

/** What a daemon without options publishes. */
export const OWN_NAMES = ['AnonymousSharedMemory', 'SharedStore']

/** Root does not trust a registry of another user unless he is named. */
const TRUSTED = ['--registry-owner', String(OTHER_UID)]

/** What `status --json` prints. */
export interface Status {
  readonly name: string | null
  readonly host: boolean
  readonly pid: number
  readonly uid: number
  readonly value: number | null
  readonly watchers: number
  readonly channels: number
  readonly connections: number
  readonly fds: number
  readonly mappings: number
  /** What is charged to all peers together, by resource. */
  readonly used: Record<string, number>
  readonly droppedLogLines: number
  readonly regions: readonly { fd: number; inode: number; seals: number; size: number }[]
  readonly stores: readonly {
    name: string
    keys: number
    valueBytes: number
    usedBytes: number
    allocatedBytes: number
    capacity: number
    areas: number
    watchers: number
    used: Record<string, number>
  }[]
}

/** A daemon that is ready; gone with the test. */
export function startMemsvc(t: Test, options: DaemonOptions = {}): Promise<Daemon> {
  return startDaemon(t, MEMSVC, options)
}

/** The same, run by OTHER_UID. Needs root. */
export function startMemsvcOfOtherUser(t: Test, options: DaemonOptions = {}): Promise<Daemon> {
  const registry = newRegistryPath(t)
  chownSync(dirname(registry), OTHER_UID, OTHER_UID)
  return startMemsvc(t, { registry, uid: OTHER_UID, ...options })
}

/** Runs memsvc to its end, with these arguments and no others. */
export function runMemsvc(args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return runProgram(MEMSVC, args, options)
}

/** Likewise. */
export function runMemclient(args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return runProgram(MEMCLIENT, args, options)
}

/** Runs a command of memsvc at this registry to its end. */
export function memsvc(registry: string, args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return runMemsvc([...args, '--registry', registry, ...TRUSTED], options)
}

/** Runs memclient at this registry to its end. */
export function memclient(registry: string, args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return runMemclient([...args, '--registry', registry, ...TRUSTED], options)
}

/** Starts memclient at this registry; gone with the test. */
export function startMemclient(t: Test, registry: string, args: readonly string[]): Program {
  const program = startProgram(MEMCLIENT, [...args, '--registry', registry, ...TRUSTED])
  t.teardown(() => program.destroy())
  return program
}

/** @throws Error with what the command said, when it failed */
export async function readStatus(registry: string, name?: string): Promise<Status> {
  const { code, stdout, stderr } = await memsvc(registry, ['status', '--json', ...(name === undefined ? [] : [name])])
  if (code !== 0) throw new Error(`status: exit ${code}\n${stderr}`)
  return JSON.parse(stdout) as Status
}

/** The lines of a daemon's log that are at least warnings. */
export function warnings(log: string): { level: number; msg: string; name?: string; reason?: string }[] {
  const lines = log.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 40)
}
