/** Readiness of a descriptor through libuv (uv_poll), level-triggered. */
import { type Handle, native, unwrap } from './binding.ts'
import { type Fd, fdNumber } from './owned-fd.ts'

const NO_HANDLE = 0

/**
 * Calls back on every turn of the event loop at which the descriptor is ready, so that a callback that leaves something
 * to read is called again. Errors and hang-ups count as ready. It keeps the process alive, unless unref().
 */
export class FdWatcher {
  #handle: Handle

  /**
   * Starts at once. Borrows the descriptor, which libuv makes non-blocking and which must stay open until close().
   *
   * @throws SyscallError EPERM for a regular file, EEXIST when this thread watches the descriptor already, EBADF
   */
  constructor(fd: Fd, events: 'readable' | 'writable', callback: () => void) {
    if (events !== 'readable' && events !== 'writable') {
      throw Object.assign(new TypeError(`events must be 'readable' or 'writable', got ${String(events)}`), {
        code: 'ERR_INVALID_ARG_VALUE',
      })
    }
    this.#handle = unwrap('epoll_ctl', native.watch(fdNumber(fd), events === 'writable', callback))
  }

  /** No callback comes any more. Again is harmless. */
  close(): void {
    native.unwatch(this.#handle)
    this.#handle = NO_HANDLE
  }

  /** Keeps the process alive, as from the start. */
  ref(): void {
    native.setWatchRef(this.#handle, true)
  }

  /** Lets the process end while this waits. */
  unref(): void {
    native.setWatchRef(this.#handle, false)
  }

  /** As close(), for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }
}
