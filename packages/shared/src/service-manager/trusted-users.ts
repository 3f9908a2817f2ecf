/**
 * The users who may own the path of the registry, and run it: root, this process's user, and one more that was named.
 * In a user namespace the kernel shows all users of the host that the namespace does not know as one user, including
 * root: see `trustsOverflow`.
 */

import { readFileSync } from 'node:fs'
import process from 'node:process'

const ROOT = 0
/** A line of /proc/self/uid_map that maps every user to itself: the namespace of the machine, or an equivalent one. */
const ALL_USERS = /^\s*0\s+0\s+4294967295\s*$/

export interface TrustedUsersOptions {
  /** A uid that was named (--registry-owner). */
  owner?: number | undefined
  /** Whether users of the host that this namespace does not know count as root. Only for a path that the user gave. */
  trustsOverflow: boolean
  /** Default: this process's. */
  self?: number
  /** The users that nobody here can tell apart; null: there are none. Default: asked of the kernel, once it matters. */
  overflow?: number | null
}

export class TrustedUsers {
  readonly self: number
  readonly #owner: number | undefined
  readonly #trustsOverflow: boolean
  #overflow: number | null | undefined

  constructor({ owner, trustsOverflow, self = process.geteuid?.() ?? ROOT, overflow }: TrustedUsersOptions) {
    this.self = self
    this.#owner = owner
    this.#trustsOverflow = trustsOverflow
    this.#overflow = overflow
  }

  /** The same for the same users. */
  get key(): string {
    return `${this.self} ${this.#owner ?? '-'} ${this.#trustsOverflow}`
  }

  /** Whether a folder, a file or a process of this user is trusted. */
  has(uid: number): boolean {
    if (uid === ROOT || uid === this.self || uid === this.#owner) return true
    return this.#trustsOverflow && uid === this.#overflowUid
  }

  /** The trusted users, and how to add one, for messages. */
  because(uid: number): string {
    const named = this.#owner === undefined ? '' : `, and uid ${this.#owner} (by --registry-owner),`
    const own = this.self === ROOT ? 'root' : `root and this user (uid ${this.self})`
    if (uid === this.#overflowUid) {
      return `${own}${named} are trusted; this user namespace does not show which user of the host that is: choose the registry with --registry PATH or MEMSVC_REGISTRY`
    }
    return `${own}${named} ${this.self === ROOT && named === '' ? 'is' : 'are'} trusted; to trust that user add --registry-owner ${uid}`
  }

  get #overflowUid(): number | null {
    this.#overflow ??= readOverflowUid()
    return this.#overflow
  }
}

/** null if the kernel shows every user unchanged. */
function readOverflowUid(): number | null {
  try {
    if (ALL_USERS.test(readFileSync('/proc/self/uid_map', 'utf8'))) return null
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))
  } catch {
    return null // no /proc: then nobody is anybody but himself
  }
}
