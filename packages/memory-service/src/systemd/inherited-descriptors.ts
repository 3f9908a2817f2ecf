/**
 * What systemd hands over at the start (sd_listen_fds(3)): the registry's listening socket, and the descriptors that were
 * kept in its store. Sockets come first, the rest in no order: names tell them apart. A unit can hand over anything, so
 * each is asked what it is before it is taken.
 */
import { constants as fs } from 'node:fs'
import { errorCode, IllegalStateError } from '@memsvc/shared'
import { fstat, OwnedFd, setNonBlocking } from 'memfd-native'
import { chooseListener, type Inherited } from './inherited-sockets.ts'

const FIRST_FD = 3

export interface NamedFd {
  readonly name: string
  readonly fd: OwnedFd
}

export interface InheritedDescriptors {
  /** The one socket, which listens at the registry's path. null: there is none. */
  readonly listener: OwnedFd | null
  /** Descriptors that are not sockets. */
  readonly stored: readonly NamedFd[]
  /** Why what somebody handed over was not looked at; null: there was nothing. */
  readonly ignored: string | null
}

export interface InheritedOptions {
  readonly env: NodeJS.ProcessEnv
  readonly pid: number
  readonly registryPath: string
}

/**
 * All inherited descriptors, which the caller owns and which are CLOEXEC. The environment variables are removed, so
 * that no child process uses them.
 * @throws ERR_ILLEGAL_STATE if there is anything other than a listener at the registry's path and stored regions; then
 *   nothing was taken
 */
export function takeInheritedDescriptors({ env, pid, registryPath }: InheritedOptions): InheritedDescriptors {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env
  delete env.LISTEN_PID
  delete env.LISTEN_PIDFDID
  delete env.LISTEN_FDS
  delete env.LISTEN_FDNAMES
  if (LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return nothing(LISTEN_FDS, LISTEN_PID, pid)
  const all = look(countOf(LISTEN_FDS), LISTEN_FDNAMES?.split(':') ?? [])
  const sockets = all.filter(({ type }) => type === fs.S_IFSOCK)
  const others = all.filter(({ type }) => type !== fs.S_IFSOCK)
  const strange = others.find(({ type }) => type !== fs.S_IFREG)
  if (strange !== undefined) throw new IllegalStateError(strangeness(strange))
  const listener = chooseListener(sockets, registryPath)
  // systemd's own do not block; systemd-socket-activate's do, and accept(2) would wait for the next client.
  if (listener !== null) setNonBlocking(listener.number, true)
  const stored = others.map(({ number, name }) => ({ name, fd: OwnedFd.adopt(number) }))
  return { listener: listener === null ? null : OwnedFd.adopt(listener.number), stored, ignored: null }
}

interface Found extends Inherited {
  /** S_IFMT, inode(7). */
  readonly type: number
}

function nothing(count: string | undefined, listenPid: string | undefined, pid: number): InheritedDescriptors {
  const ignored =
    count === undefined || count === '0'
      ? null
      : `LISTEN_FDS is meant for process ${listenPid ?? '(no LISTEN_PID)'}, but this is process ${pid}: a shell that starts memsvc must use exec`
  return { listener: null, stored: [], ignored }
}

/** @throws ERR_ILLEGAL_STATE */
function countOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new IllegalStateError(`LISTEN_FDS must be a number of descriptors, and is ${JSON.stringify(text)}`)
}

/** Only looks at the descriptors, because one that is closed or used by Node must not be taken. */
function look(count: number, names: readonly string[]): Found[] {
  const found: Found[] = []
  for (let number = FIRST_FD; number < FIRST_FD + count; number++) {
    found.push({ number, name: names[number - FIRST_FD] ?? '', type: typeOf(number, count) })
  }
  return found
}

function typeOf(number: number, count: number): number {
  try {
    return fstat(number).mode & fs.S_IFMT
  } catch (error) {
    if (errorCode(error) !== 'EBADF') throw error
    throw new IllegalStateError(`LISTEN_FDS is ${count}, but descriptor ${number} is not open`)
  }
}

function strangeness({ number, name, type }: Found): string {
  return (
    `descriptor ${number} (FileDescriptorName=${name}) is ${KINDS[type] ?? 'not a file'}, neither the registry’s socket nor a ` +
    'region that memsvc stored: remove its line from the unit'
  )
}

const KINDS: Readonly<Record<number, string>> = {
  [fs.S_IFIFO]: 'a fifo',
  [fs.S_IFCHR]: 'a device',
  [fs.S_IFBLK]: 'a device',
  [fs.S_IFDIR]: 'a folder',
}
