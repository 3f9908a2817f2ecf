/** What an inherited socket is, by the kernel's word, and what in its unit makes it another one than the registry needs. */
import { IllegalStateError } from '@memsvc/shared'
import { constants, getSocketName, getSocketOption } from 'memfd-native'
import { fileBehind, isSameFile } from '../process/same-file.ts'

/** FileDescriptorName= in memsvc.socket. */
const LISTENER_NAME = 'memsvc'

export interface Inherited {
  readonly number: number
  /** FileDescriptorName=; '' where systemd gave none. */
  readonly name: string
}

/**
 * The one socket that leads to the registry's path; null: there is none at all.
 * @throws ERR_ILLEGAL_STATE another one is there, with the path of each and what to change
 */
export function chooseListener<S extends Inherited>(sockets: readonly S[], registryPath: string): S | null {
  const faults = new Map(sockets.map((socket) => [socket, faultsOf(socket.number, registryPath)]))
  const usable = sockets.filter((socket) => faults.get(socket)?.length === 0)
  const listener = usable.find(({ name }) => name === LISTENER_NAME) ?? usable[0] ?? null
  for (const socket of usable)
    if (socket !== listener) faults.get(socket)?.push('one socket is enough: remove its line')
  const wrong = [...faults].filter(([, found]) => found.length > 0)
  if (wrong.length === 0) return listener
  const words = wrong.map(([socket, found]) => `${describe(socket)}: ${found.join(', ')}`)
  throw new IllegalStateError(`not all inherited sockets can be used; change their unit: ${words.join('; ')}`)
}

/** What must be changed in the unit; empty if the socket is right. */
function faultsOf(fd: number, registryPath: string): string[] {
  const path = `ListenSequentialPacket=${registryPath}`
  const family = getSocketOption(fd, constants.SO_DOMAIN)
  if (family !== constants.AF_UNIX) return [`not a Unix socket (address family ${family}): use ${path} instead`]
  const type = getSocketOption(fd, constants.SO_TYPE)
  const faults: string[] = []
  if (type !== constants.SOCK_SEQPACKET) faults.push(`made by ${LINES[type] ?? 'another line'}: use ${path} instead`)
  if (type !== constants.SOCK_DGRAM && getSocketOption(fd, constants.SO_ACCEPTCONN) === 0) {
    faults.push('it does not listen, because systemd has accepted the connection: use Accept=no')
  }
  if (!leadsTo(getSocketName(fd), registryPath))
    faults.push(`not at the registry’s path: use ${path}, or give its path with --registry`)
  return faults
}

const LINES: Readonly<Record<number, string>> = {
  [constants.SOCK_STREAM]: 'ListenStream=',
  [constants.SOCK_DGRAM]: 'ListenDatagram=',
}

/** By name, or over links to the same file. */
function leadsTo(name: string, registryPath: string): boolean {
  if (name === '' || name.startsWith('\0')) return false
  return name === registryPath || isSameFile(tryLook(name), tryLook(registryPath))
}

function tryLook(path: string): ReturnType<typeof fileBehind> {
  try {
    return fileBehind(path)
  } catch {
    return null
  }
}

function describe({ number, name }: Inherited): string {
  return `${addressOf(number)} (descriptor ${number}${name === '' ? '' : `, FileDescriptorName=${name}`})`
}

function addressOf(fd: number): string {
  if (getSocketOption(fd, constants.SO_DOMAIN) !== constants.AF_UNIX) return 'a socket without a path'
  const name = getSocketName(fd)
  if (name === '') return 'a socket without a path'
  return name.startsWith('\0') ? `@${name.slice(1)}` : name
}
