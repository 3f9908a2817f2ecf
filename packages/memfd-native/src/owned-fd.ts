/**
 * One owner of one descriptor. The holder of the object owns the number; `close()` ends both. Descriptors that a thread
 * still owns when it ends, also by `worker.terminate()`, are closed with it. A forgotten OwnedFd is a leak: see
 * `leak-detector.ts`.
 */

import { native, unwrap } from './binding.ts'
import { dispose } from './disposal.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { LeakDetector, type Watched } from './leak-detector.ts'

/** The number and its state, shared with the leak detector, which must not hold the owner itself. */
interface Cell extends Watched {
  fd: number
}

const leaks = new LeakDetector<Cell>((cell) => {
  if (cell.fd < 0) return null
  native.close(cell.fd)
  return `descriptor ${cell.fd}`
})

/** None: nothing is allocated, and nothing is ever put in. */
export const NO_FDS: readonly never[] = []

/** A descriptor that a call only uses: its owner, or a number that you keep open during the call. */
export type Fd = OwnedFd | number

let construct: (fd: number) => OwnedFd

/** The owner of a descriptor. Calls that open a descriptor return one. */
export class OwnedFd {
  readonly #cell: Cell

  static {
    construct = (fd) => new OwnedFd(fd)
  }

  private constructor(fd: number) {
    this.#cell = { fd }
    keepFromCloning(this)
    leaks.watch(this, this.#cell)
  }

  /**
   * Takes ownership of a descriptor number, for example of an inherited one, or one that another thread released. You
   * must not close it yourself any more. It becomes CLOEXEC.
   * @throws SyscallError EBADF if the number is not open; TypeError (ERR_INVALID_ARG_TYPE) if it is not a number;
   *   RangeError (ERR_OUT_OF_RANGE) if it is not an integer from 0 to 2^31-1
   */
  static adopt(fd: number): OwnedFd {
    return ownResult('fcntl', native.adopt(fd))
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { fd: this.fd, state: this.isClosed ? 'closed' : 'open' })
  }

  /** The descriptor number, which still belongs to this object: do not close it. -1 after close() or release(). */
  get fd(): number {
    return this.#cell.fd
  }

  /** Whether it no longer owns a descriptor: true after close() or release(). */
  get isClosed(): boolean {
    return this.#cell.fd < 0
  }

  /** Closes the descriptor. Idempotent. Errors of close(2) are not reported, because the number is free in any case. */
  close(): void {
    const fd = this.#take()
    if (fd >= 0) native.close(fd)
  }

  /** Gives you the descriptor number: you must close it, and this object is empty. -1 if it was closed. */
  release(): number {
    const fd = this.#take()
    if (fd >= 0) native.release(fd)
    return fd
  }

  /** As close(), for `using`. */
  [dispose](): void {
    this.close()
  }

  #take(): number {
    const fd = this.#cell.fd
    this.#cell.fd = -1
    leaks.forget(this, this.#cell)
    return fd
  }
}

/** The number of a descriptor for a native call, which checks it. For a closed owner it is -1, which leads to EBADF. */
export function fdNumber(fd: Fd): number {
  return typeof fd === 'number' ? fd : ((fd as OwnedFd | undefined | null)?.fd as number)
}

/** An owner for a descriptor that a system call has just made; its failure (a negative errno) becomes a SyscallError. */
export function ownResult(syscall: string, result: number): OwnedFd {
  return construct(unwrap(syscall, result))
}

/** The same for a pair of descriptors. */
export function ownPair(syscall: string, result: [number, number] | number): [OwnedFd, OwnedFd] {
  const [first, second] = unwrap(syscall, result)
  return [construct(first), construct(second)]
}
