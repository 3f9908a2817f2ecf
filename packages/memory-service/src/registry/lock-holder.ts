/** Which process has a lock: what the kernel says, and where it does not say it, what the file says. For people. */
import { readFileSync, type Stats } from 'node:fs'
import { fileAt } from '../process/same-file.ts'

/** "process 123 (memsvc)", or that it cannot be seen. Never throws. */
export function describeHolder(lockPath: string): string {
  const pid = findHolder(lockPath)
  if (pid === null) return 'a process that is not visible from here'
  const name = tryRead(`/proc/${pid}/comm`)?.trim()
  return name === undefined ? `process ${pid}` : `process ${pid} (${name})`
}

function findHolder(lockPath: string): number | null {
  try {
    const file = fileAt(lockPath)
    return file === null ? null : holderByKernel(file)
  } catch {
    return null
  }
}

/**
 * proc_locks(5): `1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`. The device is the superblock's, which stat(2) does not
 * tell of every file system (btrfs, overlayfs), so it only decides between files of the same inode number.
 */
function holderByKernel({ dev, ino }: Stats): number | null {
  const rows = [...(tryRead('/proc/locks') ?? '').matchAll(/FLOCK +\S+ +WRITE +(\d+) +(\w+:\w+):(\d+) /g)]
  const held = rows.filter(([, , , inode]) => Number(inode) === ino)
  const [, pid] = held.find(([, , device]) => device === describeDevice(dev)) ?? held[0] ?? []
  return pid === undefined ? null : Number(pid)
}

/** makedev(3), as the kernel prints it. */
function describeDevice(dev: number): string {
  const number = BigInt(dev)
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn & 0xffffffffn)
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':')
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
