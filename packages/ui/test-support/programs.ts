/** memsvc, memclient and the window as processes, at the registry of a test. */
import { setTimeout as delay } from 'node:timers/promises'
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

/** Asks as another user. */
export const OTHER_USER = fileURLToPath(new URL('fixtures/other-user.js', import.meta.url))

export function startMemsvc(t: Test, options: DaemonOptions = {}): Promise<Daemon> {
  return startDaemon(t, MEMSVC, options)
}

/** Runs memclient to its end. */
export function memclient(registry: string, args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return runProgram(MEMCLIENT, [...args, '--registry', registry], options)
}

/** `memclient ui`, and what it has printed; gone with the test. */
export interface OpenedWindow {
  readonly program: Program
  readonly url: string
  readonly port: number
}

/** @throws Error with what it said, when it ended before */
export async function openWindow(
  t: Test,
  registry: string,
  { args = [], ...options }: ProgramOptions & { args?: readonly string[] } = {},
): Promise<OpenedWindow> {
  const program = startProgram(MEMCLIENT, ['ui', '--registry', registry, ...args], options)
  t.teardown(() => program.destroy())
  const url = await program.stdout.next()
  if (url === null) throw new Error(`no window:\n${program.stderr.text}`)
  return { program, url, port: Number(new URL(url).port) }
}

const POLL_MS = 20

/** Asks again and again until the answer is good. */
export async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (isGood(answer)) return answer
    await delay(POLL_MS)
  }
}
