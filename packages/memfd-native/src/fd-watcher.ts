/** Readiness of a descriptor through libuv (uv_poll), level-triggered. */

import { argumentError, checkFunction, checkObject } from './argument.ts'
import { inThisContext } from './async-context.ts'
import { type Handle, NO_HANDLE, native, unwrap } from './binding.ts'
import { dispose } from './disposal.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { type Fd, fdNumber } from './owned-fd.ts'

/** How a descriptor is watched. */
export interface WatchOptions {
  /**
   * Whether the callback runs outside any async context. By default it runs in the context in which the watcher was
   * made.
   */
  readonly inNoContext?: boolean
}

/**
 * Calls back on every turn of the event loop at which the descriptor is ready, so that a callback that leaves something
 * to read is called again. Errors and hang-ups count as ready. It keeps the process alive, unless unref(). The callback runs in
 * the async context (AsyncLocalStorage) in which the watcher was made, unless `inNoContext`.
 */
export class FdWatcher {
  #handle: Handle

  /**
   * Starts at once. It makes the open file non-blocking, and watches it through a duplicate of the descriptor until
   * close(), whatever you do with yours. A file may have several watchers.
   * @throws SyscallError EPERM for a regular file, EBADF, EMFILE; TypeError (ERR_INVALID_ARG_VALUE) for other events,
   *   (ERR_INVALID_ARG_TYPE) for a callback that is not a function, or options that are not an object
   */
  constructor(fd: Fd, events: 'readable' | 'writable', callback: () => void, options: WatchOptions = {}) {
    if (events !== 'readable' && events !== 'writable') {
      throw argumentError(TypeError, 'ERR_INVALID_ARG_VALUE', "events must be 'readable' or 'writable'")
    }
    checkFunction('callback', callback)
    checkObject('options', options)
    const inContext = options.inNoContext === true ? callback : inThisContext('memfd-native:FdWatcher', callback)
    this.#handle = unwrap('epoll_ctl', native.watch(fdNumber(fd), events === 'writable', inContext))
    keepFromCloning(this)
  }

  /** Stops the callbacks. Idempotent. */
  close(): void {
    native.unwatch(this.#handle)
    this.#handle = NO_HANDLE
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { state: this.#handle === NO_HANDLE ? 'closed' : 'watching' })
  }

  /** Keeps the process alive. This is the default. */
  ref(): void {
    native.setWatchRef(this.#handle, true)
  }

  /** Lets the process end while this waits. */
  unref(): void {
    native.setWatchRef(this.#handle, false)
  }

  /** As close(), for `using`. */
  [dispose](): void {
    this.close()
  }
}
