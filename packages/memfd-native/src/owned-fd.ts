/**
 * One owner of one descriptor. Whoever holds the object owns the number; `close()` ends both.
 * The garbage collector is a leak detector here, not a way to close: a forgotten OwnedFd is closed and reported
 * by a process warning with the code MEMSVC_LEAK.
 */
import { native, unwrap } from './binding.ts'

/** The number and its state, shared with the leak detector, which must not hold the owner itself. */
interface Cell {
  fd: number
}

const leaks = new FinalizationRegistry<Cell>((cell) => {
  if (cell.fd < 0) return
  process.emitWarning(`descriptor ${cell.fd} was garbage collected without close()`, { code: 'MEMSVC_LEAK' })
  native.close(cell.fd)
  cell.fd = -1
})

/** A borrowed descriptor: an owner, or a bare number that its caller keeps open for the length of the call. */
export type Fd = OwnedFd | number

export class OwnedFd {
  readonly #cell: Cell

  private constructor(fd: number) {
    this.#cell = { fd }
    leaks.register(this, this.#cell, this)
  }

  /** Takes ownership of a number: the caller must not close it any more. Nothing is checked. */
  static adopt(fd: number): OwnedFd {
    if (!Number.isInteger(fd) || fd < 0) throw new RangeError(`fd must be a descriptor (an integer >= 0), got ${fd}`)
    return new OwnedFd(fd)
  }

  /** The number, a look at it: still owned here. -1 after close() or release(). */
  get fd(): number {
    return this.#cell.fd
  }

  get isClosed(): boolean {
    return this.#cell.fd < 0
  }

  /** Closes the descriptor, once; again is harmless. Errors of close(2) are not reported: the number is free in any case. */
  close(): void {
    const fd = this.#take()
    if (fd >= 0) native.close(fd)
  }

  /** Gives the number away: the caller owns it now and this object is empty. -1 when it was closed. */
  release(): number {
    return this.#take()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #take(): number {
    const fd = this.#cell.fd
    this.#cell.fd = -1
    leaks.unregister(this)
    return fd
  }
}

/** The number of a borrowed descriptor, for a native call. A closed owner gives -1, which the kernel answers with EBADF. */
export function fdNumber(fd: Fd): number {
  return typeof fd === 'number' ? fd : fd.fd
}

/** An owner for a descriptor that a system call has just made; its failure (a negative errno) becomes a SyscallError. */
export function ownResult(syscall: string, result: number): OwnedFd {
  return OwnedFd.adopt(unwrap(syscall, result))
}
