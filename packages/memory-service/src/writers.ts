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
  const uid = findUid(name)
  if (uid === null) throw new InvalidArgValueError(`a writer must be a uid, a user or @group; there is no user ${name}`)
  return uid
}

function groupUids(name: string): number[] {
  const [, , gid, members] = getent('group', name)[0] ?? []
  if (gid === undefined) {
    throw new InvalidArgValueError(`a writer must be a uid, a user or @group; there is no group ${name}`)
  }
  const primary = getent('passwd').filter((entry) => entry[3] === gid)
  // A group may still name a user who is gone: nobody can come as him.
  const others = (members ?? '').split(',').map(findUid)
  return [...primary.map((entry) => Number(entry[2])), ...others.filter((uid) => uid !== null)]
}

function findUid(name: string): number | null {
  const uid = name === '' ? undefined : getent('passwd', name)[0]?.[2]
  return uid === undefined ? null : Number(uid)
}

/** The entries, split at their colons; none where there is no such key, or no getent. */
function getent(database: string, ...keys: string[]): string[][] {
  try {
    const text = execFileSync('getent', [database, ...keys], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}
