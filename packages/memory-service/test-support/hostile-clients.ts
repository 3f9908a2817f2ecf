/** The hostile clients of test/fixtures/hostile: each case as every kind of user, and the oracle after each. */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Daemon, newRegistryPath, OTHER_UID, otherUserProblem, startCommand } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { MEMSVC, startMemsvc } from './memsvc.ts'
import { Oracle } from './oracle.ts'

const PYTHON = ['python3', '-IB', fileURLToPath(new URL('../../test/fixtures/hostile', import.meta.url))]
const THIRD_UID = 65533
const OPEN_DIRECTORY = 0o711

interface Attacker {
  /** As the cases know him. */
  readonly title: 'the same user' | 'another user' | 'root'
  /** undefined: as the test. */
  readonly uid: number | undefined
  readonly skip: string | false
}

const isRoot = process.getuid?.() === 0
const skip = otherUserProblem(MEMSVC)

/** To a daemon of OTHER_UID where the test is root, otherwise of its own user. */
const ATTACKERS: readonly Attacker[] = [
  { title: 'the same user', uid: isRoot ? OTHER_UID : undefined, skip: isRoot && skip },
  { title: 'another user', uid: THIRD_UID, skip },
  { title: 'root', uid: 0, skip },
]

export interface SurvivalOptions {
  /** More arguments of the daemon's. */
  readonly args?: readonly string[]
}

/** One test for each case of the group and each user: the daemon does as it should, and survives. */
export function survives(t: Test, group: string, options: SurvivalOptions = {}): void {
  const titles = listCases()[group]
  if (titles === undefined) throw new Error(`no cases of ${group}`)
  for (const attacker of ATTACKERS) {
    t.test(`${group}, by ${attacker.title}`, { skip: attacker.skip }, async (t) => {
      const daemon = await startOpenDaemon(t, options)
      const oracle = await Oracle.of(t, daemon)
      const run = startAttacker(t, daemon, attacker)
      for (const title of titles) {
        t.test(title, async (t) => {
          t.equal(await run(`${group}\t${title}`), null)
          await oracle.check(t)
        })
      }
    })
  }
}

/** One that lets everybody in. */
function startOpenDaemon(t: Test, { args = [] }: SurvivalOptions): Promise<Daemon> {
  const registry = newRegistryPath(t, OPEN_DIRECTORY)
  const directory = dirname(registry)
  if (isRoot) chownSync(directory, OTHER_UID, OTHER_UID)
  chmodSync(directory, OPEN_DIRECTORY)
  const uid = isRoot ? OTHER_UID : undefined
  return startMemsvc(t, { registry, uid, args: ['--socket-mode', '666', ...args] })
}

/** @returns runs one case, and answers what went wrong or null */
function startAttacker(t: Test, { registry }: Daemon, { title, uid }: Attacker) {
  const program = startCommand([...PYTHON, 'run', registry, title], { uid, stdin: 'pipe' })
  t.teardown(() => program.destroy())
  return async (line: string): Promise<string | null> => {
    program.say(line)
    const answer = await program.stdout.next()
    if (answer === null) throw new Error(`the attacker is gone: ${program.stderr.text}`)
    return (JSON.parse(answer) as { error: string | null }).error
  }
}

/** Titles by group. */
function listCases(): Record<string, string[]> {
  const { stdout, stderr, status } = spawnSync('env', [...PYTHON, 'list'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
