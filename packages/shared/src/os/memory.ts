/** The parts of a MemoryFile: a descriptor and its mapping, of its own region or of another one. */
import { Mapping, mmap } from 'memfd-native'
import { checkInteger, checkString, INT_MAX, show } from '../util/check.ts'
import { InvalidArgValueError, NotARegionError } from '../util/errors.ts'
import { borrowFd, type FileDescriptor, wrapOwnedFd } from './file-descriptor.ts'
import { checkMappable, createRegion, lookAtRegion } from './region.ts'

const { MAP_SHARED, PROT_READ, PROT_WRITE } = mmap

/** What a memory file owns. */
export interface Memory {
  fd: FileDescriptor
  mapping: Mapping
}

/** A new region, mapped read-write. @throws as the constructor of MemoryFile */
export function createMemory(name: string | null, length: number): Memory {
  checkLength(length)
  const fd = wrapOwnedFd(createRegion(name, length))
  try {
    return { fd, mapping: Mapping.map(borrowFd(fd), length, PROT_READ | PROT_WRITE, MAP_SHARED) }
  } catch (error) {
    fd.close()
    throw error
  }
}

/** Somebody's region, mapped read-only; `fd` is borrowed if this throws. @throws as the constructor of MemoryFile */
export function referToMemory(fd: FileDescriptor, length: number, mode: string | undefined): Memory {
  const look = lookAtRegion(borrowFd(fd))
  if (look.size < 0) throw new NotARegionError('Not a memory file.')
  checkMode(mode)
  checkLength(length)
  checkMappable(look, length)
  return { fd, mapping: Mapping.map(borrowFd(fd), length, PROT_READ, MAP_SHARED) }
}

function checkMode(mode: string | null | undefined): void {
  if (mode === 'r') return
  if (mode !== null && mode !== undefined) checkString('mode', mode)
  throw new InvalidArgValueError(`Unsupported file mode: ${show(mode)}`)
}

function checkLength(length: number): void {
  checkInteger('length', length, 1, INT_MAX, InvalidArgValueError)
}
