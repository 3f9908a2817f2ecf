/** The memory of a new area: a region of its size, sealed so that only one mapping can ever write it. */
import process from 'node:process'
import { checkNumber, checkObject } from './argument.ts'
import { type Handle, NO_HANDLE, native, unwrap } from './binding.ts'
import { constants } from './constants.ts'
import { addSeals, fchmod, ftruncate, memfdCreate } from './memfd.ts'
import { mmap } from './mmap.ts'
import type { OwnedFd } from './owned-fd.ts'
import { SyscallError } from './syscall-error.ts'

/** Options of a new area. */
export interface AreaOptions {
  /** The size of the whole area in bytes, at most 2^40. */
  capacity: number
  /** The number of keys, at most 16,777,216. Default 65,536. Each takes 64 bytes of the capacity, used or not. */
  maxKeys?: number
  /**
   * How many changes a watcher may be behind before it must compare all keys: a power of two from 512 to 2^20. Default
   * 4,096.
   */
  logSize?: number
  /**
   * The first transaction gets a version above this one. If a new area begins with the last version of the old one, no
   * version is used twice.
   */
  base?: bigint
  /** The name that /proc/PID/maps shows. */
  name?: string
}

const DEFAULT_MAX_KEYS = 65_536
const DEFAULT_LOG_SIZE = 4096

/** @returns the writable mapping and its descriptor, both the caller's. @throws as AreaWriter.create */
export function createAreaMemory(options: AreaOptions): { handle: Handle; fd: OwnedFd } {
  checkObject('options', options)
  const { capacity, maxKeys = DEFAULT_MAX_KEYS, logSize = DEFAULT_LOG_SIZE, base = 0n, name = 'memsvc-area' } = options
  checkNumber('capacity', capacity)
  const bytes = Math.ceil(capacity / mmap.PAGESIZE) * mmap.PAGESIZE
  const fd = newMemfd(name)
  let handle: Handle = NO_HANDLE
  try {
    ftruncate(fd, bytes)
    addSeals(fd, constants.F_SEAL_SHRINK | constants.F_SEAL_GROW)
    const epoch = process.getBuiltinModule('node:crypto').randomBytes(8).readBigUInt64LE()
    const geometry = { capacity: bytes, maxKeys, logSize, base, epoch }
    handle = unwrap('mmap', native.areaCreate(fd.fd, geometry), 'making an area')
    // From now on this mapping is the only way to write.
    addSeals(fd, constants.F_SEAL_FUTURE_WRITE | constants.F_SEAL_SEAL)
    fchmod(fd, 0o400)
    return { handle, fd }
  } catch (error) {
    native.areaClose(handle)
    fd.close()
    throw error
  }
}

/** Not executable, if the kernel supports that (6.3). */
function newMemfd(name: string): OwnedFd {
  try {
    return memfdCreate(name, constants.MFD_NOEXEC_SEAL)
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'EINVAL') return memfdCreate(name, constants.MFD_ALLOW_SEALING)
    throw error
  }
}
