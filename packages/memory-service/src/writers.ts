/**
 * Who may set the value: the daemon's own user and root always, and who `--writers` names. Users and groups are looked up
 * once, at the start, by getent(1), which asks every source that the machine has (NSS), not only /etc/passwd.
 */
import { execFileSync } from 'node:child_process'
import { InvalidArgValueError, OutOfRangeError } from '@memsvc/shared'

const MAX_UID = 0xfffffffe // 4294967295 is "no user", (uid_t) -1

export class Writers {
  readonly #uids: ReadonlySet<number>

  constructor(uids: Iterable<number>) {
    this.#uids = new Set(uids)
  }

  allows(uid: number): boolean {
    return this.#uids.has(uid)
  }
}

/**
 * @param rules each a uid, a user's name, or @ and a group's name: all of its members, primary or not
 * @throws ERR_INVALID_ARG_VALUE no such user or group
 */
export function parseWriters(rules: readonly string[], ownUid: number): Writers {
  return new Writers([0, ownUid, ...rules.flatMap(uidsOf)])
}

function uidsOf(rule: string): number[] {
  if (/^\d+$/.test(rule)) {
    const uid = Number(rule)
    if (uid > MAX_UID) throw new OutOfRangeError(`a writer's uid must be at most ${MAX_UID}, got ${rule}`)
    return [uid]
  }
  if (rule.startsWith('-')) throw new InvalidArgValueError(`a writer must be a uid, a user or @group, got ${rule}`)
  return rule.startsWith('@') ? groupUids(rule.slice(1)) : [userUid(rule)]
}

function userUid(name: string): number {
  const uid = getent('passwd', name)?.[0]?.[2]
  if (uid === undefined)
    throw new InvalidArgValueError(`a writer must be a uid, a user or @group; there is no user ${name}`)
  return Number(uid)
}

function groupUids(name: string): number[] {
  const group = getent('group', name)?.[0]
  const gid = group?.[2]
  if (gid === undefined)
    throw new InvalidArgValueError(`a writer must be a uid, a user or @group; there is no group ${name}`)
  const members = (group?.[3] ?? '').split(',').filter((member) => member !== '')
  const primary = (getent('passwd') ?? []).filter((entry) => entry[3] === gid).map((entry) => Number(entry[2]))
  return [...members.map(userUid), ...primary]
}

/** The entries, split at their colons; null when there is none of that name (or no getent). */
function getent(database: string, ...keys: string[]): string[][] | null {
  try {
    const text = execFileSync('getent', [database, ...keys], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(':'))
  } catch {
    return null
  }
}
