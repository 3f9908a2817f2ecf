/** memclient and memsvc as processes, at the registry of a test. */
import { fileURLToPath } from 'node:url'
import {
  type Daemon,
  type DaemonOptions,
  type Ending,
  type Program,
  type ProgramOptions,
  runProgram,
  startDaemon,
  startProgram,
} from '@memsvc/shared/test-support'
import type { Test } from 'tap'

const PACKAGES = new URL('../../..', import.meta.url)
const MEMSVC = fileURLToPath(new URL('memory-service/bin/memsvc.js', PACKAGES))

export const MEMCLIENT = fileURLToPath(new URL('client-cli/bin/memclient.cjs', PACKAGES))

/** For a registry's directory: others may pass through it, not list it. */
export const OPEN_DIRECTORY = 0o711

/** Runs `memclient` at the registry given to its end. */
export function memclient(registry: string, args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return runProgram(MEMCLIENT, args, atRegistry(registry, options))
}

/** Starts `memclient`; it is gone with the test. */
export function startMemclient(
  t: Test,
  registry: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Program {
  const program = startProgram(MEMCLIENT, args, atRegistry(registry, options))
  t.teardown(() => program.destroy())
  return program
}

/** `memclient read`, as the daemon's own user. */
export async function readValue(registry: string): Promise<string> {
  return (await memclient(registry, ['read'])).stdout
}

export function startMemsvc(t: Test, options: DaemonOptions = {}): Promise<Daemon> {
  return startDaemon(t, MEMSVC, options)
}

/** `memsvc status --json`. */
export async function daemonStatus(registry: string): Promise<{ watchers: number; regions: readonly unknown[] }> {
  return JSON.parse((await runProgram(MEMSVC, ['status', '--json', '--registry', registry])).stdout)
}

function atRegistry(registry: string, options: ProgramOptions): ProgramOptions {
  return { ...options, env: { MEMSVC_REGISTRY: registry, ...options.env } }
}
