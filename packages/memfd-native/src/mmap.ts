/**
 * Mapped memory as a Buffer, in mmap-io's vocabulary. This is the unsafe way; `Mapping` is the safe one. The kernel
 * answers a wrong access with a signal, which JavaScript cannot catch:
 * - a write to a Buffer mapped without PROT_WRITE, or any access after protect(PROT_NONE), is SIGSEGV;
 * - an access beyond the end of the file, also one that another process has cut off since, is SIGBUS;
 * - `toString('utf8')` of bytes that another process changes meanwhile is SIGSEGV: V8 reads them twice. Copy them first.
 */
import { Buffer, constants as bufferLimits } from 'node:buffer'
import { argumentError, checkNumber, typeProblem } from './argument.ts'
import { native, unwrap } from './binding.ts'
import { type Fd, fdNumber } from './owned-fd.ts'

const MS_ASYNC = 1
const MS_INVALIDATE = 2
const MS_SYNC = 4

/**
 * Maps `size` bytes of `fd` from `offset` (a multiple of the page size) on. The Buffer does not need the descriptor,
 * which stays the caller's; -1 with MAP_ANONYMOUS. Forgotten, it is unmapped when it is garbage collected, but nothing
 * hurries the collector: mapped memory does not count as its own. mmap(2)
 *
 * @param prot `mmap.PROT_*`
 * @param flags `mmap.MAP_*`, no MAP_FIXED (EINVAL)
 * @param advice `mmap.MADV_*` for the whole
 * @throws SyscallError as `Mapping.map`; RangeError (ERR_OUT_OF_RANGE) when `size` is more than a Buffer can have
 */
function map(size: number, prot: number, flags: number, fd: Fd, offset = 0, advice: number = mmap.MADV_NORMAL): Buffer {
  checkNumber('size', size)
  if (size > bufferLimits.MAX_LENGTH) {
    const message = `size must be at most ${bufferLimits.MAX_LENGTH} bytes, got ${size}`
    throw argumentError(RangeError, 'ERR_OUT_OF_RANGE', message)
  }
  const buffer = Buffer.from(unwrap('mmap', native.mapView(size, prot, flags, fdNumber(fd), offset)))
  try {
    if (advice !== mmap.MADV_NORMAL) advise(buffer, advice)
  } catch (error) {
    unmap(buffer)
    throw error
  }
  return buffer
}

/**
 * Unmaps the whole mapping now, given its Buffer or any part of it: every view of it has length 0 afterwards. Again is
 * harmless. Nothing may be using the memory, such as an fs.read still under way. A Buffer whose memory `transfer()` or a
 * byte stream has moved away is left alone: the new owner's collection unmaps it. If the thread that mapped it ends first,
 * it stays mapped until the process ends, because the new owner may be in another thread.
 *
 * @throws TypeError (ERR_INVALID_ARG_TYPE) when it was not made by map(), as everything below
 */
function unmap(buffer: Uint8Array): void {
  unwrap('munmap', native.unmapView(buffer))
}

/**
 * Changes the access of the pages of `buffer`. From then on wrong accesses are SIGSEGV. mprotect(2)
 *
 * @throws code ERR_CLOSED after unmap(), as everything below
 */
function protect(buffer: Uint8Array, prot: number): void {
  unwrap('mprotect', native.protect(buffer, prot))
}

/** Says how the memory, or `length` bytes of it from `offset` on, will be used: `mmap.MADV_*`. madvise(2) */
function advise(buffer: Uint8Array, advice: number): void
function advise(buffer: Uint8Array, offset: number, length: number, advice: number): void
function advise(buffer: Uint8Array, ...rest: number[]): void {
  checkBuffer(buffer)
  const [offset, length, advice] = rest.length > 1 ? rest : [0, buffer.length, rest[0]]
  unwrap('madvise', native.advise(buffer, offset as number, length as number, advice as number))
}

/** Counts pages: [not in memory, in memory]. mincore(2) */
function incore(buffer: Uint8Array): [number, number] {
  return unwrap('mincore', native.inCore(buffer))
}

/**
 * Writes changes back to the file: starts it, or with `blocking` waits for its end; `invalidate` makes other mappings of
 * the file see them. `offset` is a multiple of the page size. `sync(buffer, blocking, invalidate)` is for the whole. A memfd needs none of this. msync(2)
 */
function sync(buffer: Uint8Array, offset?: number, length?: number, blocking?: boolean, invalidate?: boolean): void
function sync(buffer: Uint8Array, blocking: boolean, invalidate?: boolean): void
function sync(buffer: Uint8Array, ...rest: (number | boolean | undefined)[]): void {
  checkBuffer(buffer)
  // mmap-io has both forms.
  const [offset = 0, length, blocking = false, invalidate = false] =
    typeof rest[0] === 'boolean' ? [0, undefined, ...rest] : rest
  checkNumber('offset', offset)
  const flags = (blocking ? MS_SYNC : MS_ASYNC) | (invalidate ? MS_INVALIDATE : 0)
  const count = length ?? buffer.length - (offset as number)
  unwrap('msync', native.sync(buffer, offset as number, count as number, flags))
}

/** Before anything is asked of it. */
function checkBuffer(buffer: unknown): void {
  if (!ArrayBuffer.isView(buffer)) throw typeProblem('buffer must be a Uint8Array')
}

/**
 * Mapped memory as Buffers, with the constants of mmap(2) and madvise(2). It is unsafe: a write to a read-only Buffer,
 * or an access beyond the end of a file that was cut off, ends the process (SIGSEGV, SIGBUS).
 */
export const mmap = Object.freeze({
  map,
  unmap,
  protect,
  advise,
  incore,
  sync,

  PROT_NONE: 0,
  PROT_READ: 1,
  PROT_WRITE: 2,
  PROT_EXEC: 4,

  MAP_SHARED: 0x1,
  MAP_PRIVATE: 0x2,
  MAP_SHARED_VALIDATE: 0x3,
  MAP_ANONYMOUS: 0x20,
  MAP_LOCKED: 0x2000,
  MAP_NORESERVE: 0x4000,
  MAP_POPULATE: 0x8000,
  MAP_NONBLOCK: 0x10000,
  MAP_HUGETLB: 0x40000,

  MADV_NORMAL: 0,
  MADV_RANDOM: 1,
  MADV_SEQUENTIAL: 2,
  MADV_WILLNEED: 3,
  MADV_DONTNEED: 4,
  MADV_FREE: 8,
  MADV_REMOVE: 9,
  MADV_DONTFORK: 10,
  MADV_DOFORK: 11,
  MADV_HUGEPAGE: 14,
  MADV_NOHUGEPAGE: 15,
  MADV_DONTDUMP: 16,
  MADV_DODUMP: 17,
  MADV_COLD: 20,
  MADV_PAGEOUT: 21,
  MADV_POPULATE_READ: 22,
  MADV_POPULATE_WRITE: 23,

  /** Of this machine, in bytes. */
  PAGESIZE: native.pageSize(),
})
