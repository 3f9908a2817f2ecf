/** A daemon for a test: real, on a registry of its own, gone with the test. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Program, type ProgramOptions, startProgram } from './programs.ts'

export interface DaemonOptions extends ProgramOptions {
  /** Default: start. */
  command?: 'start' | 'registry'
  /** After the command. */
  args?: readonly string[]
  /** The socket; default: one in a new directory that only this user can enter. */
  registry?: string
}

export interface Daemon {
  readonly program: Program
  readonly registry: string
}

/**
 * Starts `path` (memsvc's JavaScript file) and resolves when it can be used: when its log says ready.
 * @throws Error with its log, when it ended before
 */
export async function startDaemon(t: Test, path: string, options: DaemonOptions = {}): Promise<Daemon> {
  const registry = options.registry ?? newRegistryPath(t)
  const program = startProgram(
    path,
    [options.command ?? 'start', '--registry', registry, ...(options.args ?? [])],
    options,
  )
  t.teardown(() => program.destroy())
  if ((await program.stderr.find(isReady)) === null) throw new Error(`no daemon:\n${program.stderr.text}`)
  return { program, registry }
}

/** A path for a socket, short enough for one, in a new directory of this mode. It goes with the test. */
export function newRegistryPath(t: Test, directoryMode = 0o700): string {
  const directory = mkdtempSync(join(tmpdir(), 'memsvc-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  chmodSync(directory, directoryMode)
  return join(directory, 'registry.sock')
}

function isReady(line: string): boolean {
  try {
    return (JSON.parse(line) as { msg?: unknown }).msg === 'ready'
  } catch {
    return false // not of the log: a warning of Node's
  }
}
