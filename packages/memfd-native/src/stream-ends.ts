/** Both directions of a Unix stream socket, for the streams that are made of it: bytes, and the descriptors that come along. */
import type { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { type AsyncContext, captureContext } from './async-context.ts'
import { constants } from './constants.ts'
import { errnos } from './errnos.ts'
import { FdWatcher } from './fd-watcher.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { NO_FDS, type OwnedFd } from './owned-fd.ts'
import { SyscallError } from './syscall-error.ts'
import { MAX_FDS, recvmsg, SHUT_WR, sendmsg, shutdown } from './unix-socket.ts'

/** Of one read. */
export const CHUNK_BYTES = 64 * 1024

/** What a stream tells when it is done with something. */
export type Done = (error?: Error | null) => void

/** The received bytes; null if the peer sends no more. The caller owns the descriptors. */
export interface Chunk {
  readonly data: Buffer | null
  readonly fds: readonly OwnedFd[]
}

/** Owns the socket until `close()`. Its callbacks run in the async context in which it was made. */
export class StreamEnds {
  readonly #fd: OwnedFd
  readonly #context: AsyncContext
  #reading: FdWatcher | null = null
  #writing: FdWatcher | null = null
  #isRef = true
  #unsent: readonly OwnedFd[] = NO_FDS

  /** Takes the descriptor over. @param name of its async resource */
  constructor(fd: OwnedFd, name: string) {
    this.#context = captureContext(name)
    this.#fd = fd
  }

  /** -1 after `close()`. */
  get fd(): number {
    return this.#fd.fd
  }

  /**
   * Up to `bytes` bytes that have arrived; undefined if there are none yet.
   * @throws SyscallError EMFILE if this process had no numbers left for all received descriptors, so that some are lost
   */
  receive(bytes: number): Chunk | undefined {
    try {
      const { data, fds, flags } = recvmsg(this.#fd, bytes, MAX_FDS)
      if ((flags & constants.MSG_CTRUNC) === 0) return { data: data.length === 0 ? null : data, fds }
      for (const fd of fds) fd.close()
    } catch (error) {
      if ((error as SyscallError).code === 'EAGAIN') return undefined
      if ((error as SyscallError).code === 'ECONNRESET') return { data: null, fds: NO_FDS }
      throw error
    }
    throw new SyscallError('recvmsg', errnos.EMFILE, 'descriptors that arrived are lost: no number is free')
  }

  /** Calls back once, when there is something to receive. @throws SyscallError EMFILE */
  whenReadable(act: () => void): void {
    this.#reading ??= this.#watch('readable', () => {
      this.#reading?.close()
      this.#reading = null
      act()
    })
  }

  /** Sends all of it, however long the peer takes. Owns the descriptors, which go with the first byte. */
  send(bytes: Uint8Array, fds: readonly OwnedFd[], done: Done): void {
    this.#unsent = fds
    let rest = bytes
    try {
      while (rest.length > 0) {
        rest = rest.subarray(sendmsg(this.#fd, rest, this.#unsent))
        this.#closeUnsent()
      }
    } catch (error) {
      if ((error as SyscallError).code !== 'EAGAIN') this.#fail(error, done)
      else this.#sendLater(rest, done)
      return
    }
    done()
  }

  #sendLater(rest: Uint8Array, done: Done): void {
    try {
      this.#writing = this.#watch('writable', () => {
        this.#writing?.close()
        this.#writing = null
        this.send(rest, this.#unsent, done)
      })
    } catch (error) {
      this.#fail(error, done)
    }
  }

  #fail(error: unknown, done: Done): void {
    this.#closeUnsent()
    done(error as Error)
  }

  /** The peer reads to the end; this side can still read. */
  finish(done: Done): void {
    try {
      shutdown(this.#fd, SHUT_WR)
      done()
    } catch (error) {
      done((error as SyscallError).code === 'ENOTCONN' ? null : (error as Error))
    }
  }

  /** Sets whether its waits keep the process alive. */
  setRef(isRef: boolean): void {
    this.#isRef = isRef
    for (const watcher of [this.#reading, this.#writing]) isRef ? watcher?.ref() : watcher?.unref()
  }

  close(): void {
    this.#reading?.close()
    this.#writing?.close()
    this.#closeUnsent()
    this.#fd.close()
  }

  #watch(events: 'readable' | 'writable', act: () => void): FdWatcher {
    const watcher = this.#context.runInAsyncScope(() => new FdWatcher(this.#fd, events, act))
    if (!this.#isRef) watcher.unref()
    return watcher
  }

  #closeUnsent(): void {
    for (const fd of this.#unsent) fd.close()
    this.#unsent = NO_FDS
  }
}

/** Has a stream show itself as the other objects of this package do, in one line, and stay in its thread. */
export function presentStream(name: string, stream: Duplex, fd: () => number | undefined): void {
  keepFromCloning(stream)
  const facts = () => ({ fd: fd(), state: stream.destroyed ? 'closed' : 'open' })
  Object.defineProperty(stream, inspected, { value: () => introduce({ constructor: { name } }, facts()) })
}
