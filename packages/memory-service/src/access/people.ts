/**
 * The people that rules name: a uid, a user name, @ and a group, or * for everybody. Names are looked up with getent(1)
 * when the rules are read, never while a client waits. getent asks every source of the machine (NSS), not only
 * /etc/passwd.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { InvalidArgValueError, OutOfRangeError } from '@memsvc/shared'
import { MAX_UID } from '@memsvc/shared/internal'
import { DAEMON_LIMITS } from '../quota/limits.ts'

/** A caller, by the kernel's word. */
export interface Identity {
  readonly uid: number
  /** Its own group and the supplementary ones, if the kernel reports them: it does on connections to the registry. */
  readonly groups?: readonly number[]
}

/** getent(1): the key was not found; the database cannot be listed. */
const NOT_FOUND = 2
const NOT_LISTED = 3
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export class People {
  readonly #uids = new Set<number>()
  readonly #gids = new Set<number>()
  #isEverybody = false

  /** The same for the same people. */
  get name(): string {
    if (this.#isEverybody) return '*'
    const sorted = (ids: Set<number>) => [...ids].sort((a, b) => a - b).join()
    return `${sorted(this.#uids)};${sorted(this.#gids)}`
  }

  includes({ uid, groups = [] }: Identity): boolean {
    return this.#isEverybody || this.#uids.has(uid) || groups.some((gid) => this.#gids.has(gid))
  }

  /**
   * Adds the people that `who` names. For a group, these are all its members, primary or not, and every process that
   * has the group according to the kernel.
   * @throws ERR_INVALID_ARG_VALUE if there is no such user or group; ERR_OUT_OF_RANGE
   */
  async add(who: number | string): Promise<void> {
    const name = String(who)
    if (/^@?-/.test(name)) throw new InvalidArgValueError(`${name} is neither a uid, a user nor @group`)
    if (name === '*') this.#isEverybody = true
    else if (name.startsWith('@')) await this.#addGroup(name.slice(1))
    else this.#uids.add(isNumber(name) ? checkId(name) : await uidOf(name))
  }

  async #addGroup(name: string): Promise<void> {
    const [, , gid = isNumber(name) ? name : undefined, members = ''] = (await getent('group', name))[0] ?? []
    if (gid === undefined) throw new InvalidArgValueError(`there is no group ${name}`)
    this.#gids.add(checkId(gid))
    for (const [, , uid, primary] of await getent('passwd')) if (primary === gid) this.#uids.add(Number(uid))
    for (const member of members.split(',')) {
      const uid = await findUid(member)
      // A group may still name a user who does not exist any more: nobody can have that uid.
      if (uid !== null) this.#uids.add(uid)
    }
  }
}

/**
 * All people that `names` name.
 * @throws as People.add
 */
export async function findPeople(names: readonly (number | string)[]): Promise<People> {
  const people = new People()
  for (const name of names) await people.add(name)
  return people
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text)
}

function checkId(text: string): number {
  const id = Number(text)
  if (id > MAX_UID) throw new OutOfRangeError(`a uid or gid must be at most ${MAX_UID}, got ${text}`)
  return id
}

async function findUid(name: string): Promise<number | null> {
  const uid = name === '' ? undefined : (await getent('passwd', name))[0]?.[2]
  return uid === undefined ? null : Number(uid)
}

async function uidOf(name: string): Promise<number> {
  const uid = await findUid(name)
  if (uid === null) throw new InvalidArgValueError(`there is no user ${name}`)
  return uid
}

/** The entries, split at their colons; none when there is none of that name. @throws ERR_INVALID_ARG_VALUE */
async function getent(database: string, ...keys: string[]): Promise<string[][]> {
  try {
    const options = { timeout: DAEMON_LIMITS.lookupTimeout.limit, maxBuffer: MAX_ANSWER_BYTES }
    const { stdout } = await promisify(execFile)('getent', [database, ...keys], options)
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(':'))
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === NOT_FOUND || code === NOT_LISTED) return []
    throw new InvalidArgValueError(`${['getent', database, ...keys].join(' ')} failed (${code ?? 'no answer'})`)
  }
}
