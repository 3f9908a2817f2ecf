/**
 * Whether a path leads where it seems to lead: nobody but trusted users can have put something else in its place. Every
 * folder on the way is looked at, as the kernel walks it, with the folders of each symbolic link (sshd's StrictModes).
 *
 * To look and then to go is a race only with those who can change the way, and these are the ones who are trusted.
 */

import { constants as fs, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { type FileStatus, lstat, stat } from 'memfd-native'
import { SecurityError } from '../util/errors.ts'
import { isSamePlace } from './same-place.ts'
import type { TrustedUsers } from './trusted-users.ts'

const GROUP_MAY_WRITE = 0o020
const ALL_MAY_WRITE = 0o002
const STICKY = 0o1000
/** proc_pid_root(5). The root of another process has no parent folder, like our own, so a path can begin there. */
const ROOT_OF_PROCESS = /^\/proc\/[^/]+(\/task\/[^/]+)?\/root$/
/** The kernel's MAXSYMLINKS; beyond it connect(2) and open(2) say ELOOP. */
const MAX_LINKS = 40

/** One thing on the way. */
export interface Step {
  readonly path: string
  readonly uid: number
  readonly mode: number
  /** Why it cannot be trusted; null: it can. */
  readonly objection: string | null
  /** The members of its group may replace what is in it. This is allowed, but reported. */
  readonly isGroupWritable: boolean
}

/**
 * @param what what is at the path, for the message
 * @throws ERR_SECURITY that names the first part of the path that is not trusted
 */
export function checkPathTrust(what: string, path: string, trusted: TrustedUsers): void {
  for (const { objection } of stepsTo(path, trusted)) {
    if (objection !== null) throw new SecurityError(`${what} is not trusted: ${objection}`)
  }
}

/**
 * What is on the way to `path`, from the root of the file system down, as far as it exists and may be seen. What is at the
 * path itself matters in a sticky folder only, where everybody may put something. The way ends at a link that leads
 * elsewhere than it says: where it leads has no path that could be looked at. The root of a process is not such a place:
 * whoever owns the process is looked at before it, and what is in it after.
 */
export function* stepsTo(path: string, trusted: TrustedUsers): Generator<Step> {
  const seen = new Map<string, FileStatus>()
  const start = path.startsWith('/') ? '' : process.cwd()
  const names = `${start}/${path}`.split('/').reverse()
  let folder = '/'
  let links = 0
  const root = lstat(folder)
  seen.set(folder, root)
  yield judge(folder, root, null, trusted)
  if (start !== '' && !isSamePlace('.', start)) {
    yield { ...judge('.', lstat('.'), null, trusted), objection: misleads('the working directory', start) }
    return
  }
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (ROOT_OF_PROCESS.test(folder)) continue // above a root is the root
      folder = dirname(folder) // it has no links in it, and was looked at on the way here
      continue
    }
    const here = join(folder, name)
    const stats = seen.get(here) ?? look(here)
    if (stats === undefined) return
    if (!seen.has(here)) yield judge(here, stats, seen.get(folder) ?? null, trusted)
    seen.set(here, stats)
    if (typeOf(stats) !== fs.S_IFLNK) folder = here
    else {
      links += 1
      const target = links > MAX_LINKS ? null : tryReadLink(here)
      if (target === null) return
      if (!isSamePlace(here, target.startsWith('/') ? target : `${folder}/${target}`)) {
        const there = ROOT_OF_PROCESS.test(here) ? lookThrough(here) : undefined
        if (there === undefined) {
          yield { ...judge(here, stats, seen.get(folder) ?? null, trusted), objection: misleads(here, target) }
          return
        }
        yield judge(here, there, null, trusted)
        seen.set(here, there)
        folder = here
        continue
      }
      if (target.startsWith('/')) folder = '/'
      names.push(...target.split('/').reverse())
    }
  }
}

/** A link of /proc (PID/cwd, PID/fd/N) leads to a place; its text is only what the place is called, somewhere. */
function misleads(link: string, target: string): string {
  return `${link} does not lead to ${target}, as its text says: give the path itself, as this process sees it`
}

/** null if this user cannot see it; then the kernel does not open it for this user either. */
function tryReadLink(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

/** Undefined if nothing is there, or if it cannot be seen; then the kernel reports the error on use. */
function look(path: string): FileStatus | undefined {
  try {
    return lstat(path)
  } catch {
    return undefined
  }
}

/** The same of what a link leads to. */
function lookThrough(path: string): FileStatus | undefined {
  try {
    return stat(path)
  } catch {
    return undefined
  }
}

/** S_IFDIR, S_IFLNK and so on, inode(7). */
function typeOf({ mode }: FileStatus): number {
  return mode & fs.S_IFMT
}

function judge(path: string, stats: FileStatus, folder: FileStatus | null, trusted: TrustedUsers): Step {
  const { uid } = stats
  const mode = stats.mode & 0o7777
  const isFolder = typeOf(stats) === fs.S_IFDIR
  const isSticky = (mode & STICKY) !== 0
  const isInSticky = folder !== null && (folder.mode & STICKY) !== 0
  let objection: string | null = null
  if ((isFolder || typeOf(stats) === fs.S_IFLNK || isInSticky) && !trusted.has(uid)) {
    objection = `${path} belongs to uid ${uid} (mode ${octal(mode)}): ${trusted.because(uid)}`
  } else if (isFolder && (mode & ALL_MAY_WRITE) !== 0 && !isSticky) {
    objection = `${path} can be written to by everybody (mode ${octal(mode)}), so anybody could replace what is in it: chmod o-w, or +t`
  }
  return {
    path,
    uid,
    mode,
    objection,
    isGroupWritable: isFolder && (mode & GROUP_MAY_WRITE) !== 0 && !isSticky,
  }
}

/** A mode as chmod(1) takes it. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
