/** The hostile clients of test-support/fixtures/hostile: each case as every kind of user, and after each whether the daemon has survived. */
import { spawnSync } from 'node:child_process'
import { chownSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Daemon, newRegistryPath, OTHER_UID, otherUserProblem, startCommand } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { MEMSVC, startMemsvc } from './memsvc.ts'
import { Survival } from './survival.ts'

const PYTHON = ['python3', '-IB', fileURLToPath(new URL('../../test-support/fixtures/hostile', import.meta.url))]
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

type Limits = Readonly<Record<string, { total?: number; perUser?: number; perPeer?: number }>>

export interface SurvivalOptions {
  /** Of the daemon. */
  readonly limits?: Limits
  /** Of the daemon, besides its own. */
  readonly rules?: readonly object[]
  /** Default: all. */
  readonly attackers?: readonly Attacker['title'][]
}

/** One test for each case of the group and each attacker: the daemon does as it should, and survives. */
export function survives(t: Test, group: string, { limits = {}, rules = [], attackers }: SurvivalOptions = {}): void {
  const titles = listCases()[group]
  if (titles === undefined) throw new Error(`no cases of ${group}`)
  for (const attacker of ATTACKERS.filter(({ title }) => attackers?.includes(title) ?? true)) {
    t.test(`${group}, by ${attacker.title}`, { skip: attacker.skip }, async (t) => {
      const daemon = await startOpenDaemon(t, limits, rules)
      const survival = await Survival.of(t, daemon)
      const tell = startAttacker(t, daemon, attacker, limits)
      // To root and to the daemon's own user there is no limit but the total: he may well take all there is.
      const newClients = attacker.title === 'another user'
      for (const title of titles) {
        t.test(title, async (t) => {
          const { error, holds } = await tell(`${group}\t${title}`)
          t.equal(error, null)
          if (holds) {
            await survival.checkMeanwhile(t, { newClients })
            t.equal((await tell('go on')).error, null)
          }
          await survival.check(t)
        })
      }
    })
  }
}

/** One that lets everybody in, and everybody add names that begin with hostile. */
function startOpenDaemon(t: Test, limits: Limits, rules: readonly object[]): Promise<Daemon> {
  const registry = newRegistryPath(t, OPEN_DIRECTORY)
  const directory = dirname(registry)
  const configuration = join(directory, 'memsvc.json')
  const all = [...rules, { names: ['hostile*'], add: ['*'] }]
  writeFileSync(configuration, JSON.stringify({ limits, rules: all }))
  if (isRoot) for (const path of [directory, configuration]) chownSync(path, OTHER_UID, OTHER_UID)
  const uid = isRoot ? OTHER_UID : undefined
  return startMemsvc(t, { registry, uid, args: ['--socket-mode', '666', '--config', configuration] })
}

interface Answer {
  /** What went wrong. */
  readonly error: string | null
  /** The case keeps what it has until it is told to go on. */
  readonly holds?: true
}

/** @returns tells the attacker a line, and answers what came of it */
function startAttacker(t: Test, { registry }: Daemon, { title, uid }: Attacker, limits: Limits) {
  const tell = startHostile(t, ['run', registry, title, JSON.stringify(limits)], uid)
  return async (line: string): Promise<Answer> => JSON.parse(await tell(line))
}

/** Starts the program of test-support/fixtures/hostile; gone with the test. @returns says a line to it, and resolves to its answer */
export function startHostile(t: Test, args: readonly string[], uid?: number): (line: string) => Promise<string> {
  const program = startCommand([...PYTHON, ...args], { uid, stdin: 'pipe' })
  t.teardown(() => program.destroy())
  return async (line) => {
    program.say(line)
    const answer = await program.stdout.next()
    if (answer === null) throw new Error(`the hostile program is gone: ${program.stderr.text}`)
    return answer
  }
}

/** Titles by group. */
function listCases(): Record<string, string[]> {
  const { stdout, stderr, status } = spawnSync('env', [...PYTHON, 'list'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
