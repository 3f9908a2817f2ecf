/** Which memfds a process has, by descriptors and by mappings: read in /proc, as far as the reader may look. proc(5) */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { constants, mmap } from 'memfd-native'
import { errorCode } from '../util/errors.ts'
import type { HeldDescriptor, HeldMapping } from './inspection.ts'

/** Of one memfd in one process. */
export interface Holding {
  readonly inode: number
  readonly descriptors: readonly Omit<HeldDescriptor, 'openFile'>[]
  readonly mappings: readonly HeldMapping[]
}

export interface ProcessFacts {
  readonly pid: number
  readonly uid: number
  readonly command: string
  /** A thread of the kernel's, which holds nothing. */
  readonly isKernel: boolean
}

/** Names of memfds begin so, in /proc/PID/fd and maps. */
const MEMFD = '/memfd:'
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ (\d+)\s+\/memfd:/
/** A process that ended meanwhile, or a descriptor that was closed. */
const GONE = ['ENOENT', 'ESRCH']
const LONGEST_COMMAND = 48
const PF_KTHREAD = 0x0020_0000

/** The processes that there are. */
export function listProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** All memfds that a process has. Null: it is gone. @throws EACCES, EPERM this user may not look into it */
export function readHoldings(pid: number): Holding[] | null {
  return unlessGone(() => {
    const descriptors = readDescriptors(pid)
    const mappings = readMappings(pid)
    const inodes = new Set([...descriptors.keys(), ...mappings.keys()])
    return [...inodes].map((inode) => ({
      inode,
      descriptors: descriptors.get(inode) ?? [],
      mappings: mappings.get(inode) ?? [],
    }))
  })
}

/** What everybody may know of a process. Null: it is gone. */
export function readFacts(pid: number): ProcessFacts | null {
  return unlessGone(() => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [, flags] = /^\d+ \(.*\) \S(?: -?\d+){5} (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
    const [, uid] = /^Uid:\t\d+\t(\d+)/m.exec(status) ?? []
    const [, name] = /^Name:\t(.*)$/m.exec(status) ?? []
    const command = shorten(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) || (name ?? '?')
    return { pid, uid: Number(uid ?? -1), command, isKernel: (Number(flags) & PF_KTHREAD) !== 0 }
  })
}

/** By inode. */
function readDescriptors(pid: number): Map<number, Omit<HeldDescriptor, 'openFile'>[]> {
  const found = new Map<number, Omit<HeldDescriptor, 'openFile'>[]>()
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    unlessGone(() => {
      const path = `/proc/${pid}/fd/${name}`
      if (!readlinkSync(path).startsWith(MEMFD)) return
      const { ino } = statSync(path)
      push(found, ino, { pid, fd: Number(name), ...readOpenFile(pid, name) })
    })
  }
  for (const list of found.values()) list.sort((a, b) => a.fd - b.fd)
  return found
}

/** Before Linux 5.13 fdinfo of a process that is not dumpable is root's alone, also for that process. */
function readOpenFile(pid: number, name: string): Pick<HeldDescriptor, 'flags' | 'access' | 'offset'> {
  try {
    const text = readFileSync(`/proc/${pid}/fdinfo/${name}`, 'latin1')
    const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(text)?.[1] ?? '', 8)
    return { flags, access: accessOf(flags), offset: Number(/^pos:\s*(\d+)/m.exec(text)?.[1]) }
  } catch (error) {
    if (!isForbidden(error)) throw error
    return { flags: null, access: 'unknown', offset: null }
  }
}

function accessOf(flags: number): HeldDescriptor['access'] {
  const mode = flags & (constants.O_WRONLY | constants.O_RDWR)
  return mode === constants.O_RDONLY ? 'read-only' : mode === constants.O_WRONLY ? 'write-only' : 'read-write'
}

/** By inode. */
function readMappings(pid: number): Map<number, HeldMapping[]> {
  const found = new Map<number, HeldMapping[]>()
  if (!readFileSync(`/proc/${pid}/maps`, 'latin1').includes(MEMFD)) return found
  let last: { -readonly [K in keyof HeldMapping]: HeldMapping[K] } | null = null
  for (const line of readMaps(pid)) {
    const [, start = '', end = '', permissions = '', offset = '', inode] = MAPPING.exec(line) ?? []
    if (inode !== undefined) {
      const bytes = Number.parseInt(end, 16) - Number.parseInt(start, 16)
      last = { pid, start, end, permissions, offset: Number.parseInt(offset, 16), bytes, residentPages: null }
      push(found, Number(inode), last)
    } else if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) last = null
    else if (last !== null) last.residentPages = residentPages(line) ?? last.residentPages
  }
  return found
}

/** smaps has the lines of maps, and after each more about it; where it may not be read those of maps alone. */
function readMaps(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/smaps`, 'latin1').split('\n')
  } catch (error) {
    if (!isForbidden(error)) throw error
    return readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')
  }
}

function residentPages(line: string): number | null {
  const [, kib] = /^Rss:\s+(\d+) kB/.exec(line) ?? []
  return kib === undefined ? null : (Number(kib) * 1024) / mmap.PAGESIZE
}

/** `memsvc start`, where the command line is `/usr/bin/node\0/opt/…/bin/memsvc.js\0start`. */
function shorten(cmdline: string): string {
  const words = cmdline.split('\0').filter((word) => word !== '')
  const [program = ''] = words
  const isNode = /(^|\/)node$/.test(program)
  const script = isNode ? words.findIndex((word, i) => i > 0 && !word.startsWith('-')) : 0
  const from = Math.max(script, 0)
  const shown = words.slice(from).map((word, i) => (i === 0 ? baseName(word) : word))
  const text = shown.join(' ').replace(/\p{Cc}+/gu, ' ')
  return text.length > LONGEST_COMMAND ? `${text.slice(0, LONGEST_COMMAND - 1)}…` : text
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[cm]?js$/, '')
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

/** Whether this user may not look. */
export function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errorCode(error) ?? '')
}

function unlessGone<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (GONE.includes(errorCode(error) ?? '')) return null
    throw error
  }
}
